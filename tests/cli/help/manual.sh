# The manual has a page for the program and for each command, and man has nothing to say about them.
i3d man pages
for command in $(i3d help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
    grep -q '^\.SH EXAMPLE' "pages/i3d-$command.1"
    grep -q "i3d.-$command (1)" pages/i3d.1
done
command -v man >/dev/null || skip 'man is not installed: the pages were only counted'
for page in pages/*.1; do
    LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null | tee -a warnings
done
[ ! -s warnings ]
