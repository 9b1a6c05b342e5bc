# A mistake in the command line ends with 2, names the nearest thing and leaves stdout empty.
fails 2 'usage: i3d COMMAND' "$I3D"
[ ! -s stdout ]
fails 2 "no command is called 'doctr'; did you mean 'doctor'?" "$I3D" doctr
fails 2 "no command is called 'xyzzy'; 'i3d help' lists them" "$I3D" xyzzy
fails 2 "did you mean 'doctor'?" "$I3D" help docter
fails 2 "help has no option '--jsno'; did you mean '--json'?" "$I3D" help --jsno
fails 2 "help has no option '--xyzzy'; 'i3d help help' lists them" "$I3D" help --xyzzy
fails 2 "'-j' is not an option" "$I3D" help -j
fails 2 'usage: i3d help [COMMAND] [OPTIONS], not 2 arguments' "$I3D" help one two
fails 2 'usage: i3d version [OPTIONS], not 1 argument;' "$I3D" version -- --json
[ ! -s stdout ]
