# The scripts are sound, and bash completes commands, options and the values of options.
command -v bash >/dev/null || skip 'bash is not installed'
i3d completion bash >script
cat >complete.bash <<'END'
. ./script
complete_words() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _i3d
    echo "${COMPREPLY[*]}"
}
complete_words i3d doc
complete_words i3d help ver
complete_words i3d doctor --js
complete_words i3d doctor file
END
same 'doctor
version
--json' "$(bash -eu complete.bash)"
i3d completion zsh >_i3d
i3d completion fish >i3d.fish
if command -v zsh >/dev/null; then zsh -n _i3d; fi
if command -v fish >/dev/null; then fish --no-execute i3d.fish; fi
fails 2 'bash, zsh and fish have one' "$I3D" completion tcsh
