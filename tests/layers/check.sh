#!/bin/sh
# Prints every #include that src/layers.txt does not allow: check.sh SOURCE_ROOT
set -eu
cd "$1"

# "folder file header" for each include of src/, cli/ and the public headers.
list_includes() {
    find src cli include/i3d -name '*.[ch]' ! -name i3d.h -o -name '*.cu' | sort | while read -r file; do
        case $file in
        include/i3d/*) folder=$(basename "$file" .h) ;;
        cli/*) folder=cli ;;
        *) folder=${file#src/} folder=${folder%%/*} ;;
        esac
        sed -n 's/^ *# *include *\(["<][^">]*\).*/\1/p' "$file" | sed "s|^|$folder $file |"
    done
}

list_includes | awk '
    # The noun behind a header, "" for one of this folder or of the C library.
    function noun(header) {
        if (header ~ /^<i3d\/(status|version)$/)
            return "base"
        if (header ~ /^<i3d\//)
            return substr(header, 6)
        if (header ~ /^".*\//)
            return substr(header, 2, index(header, "/") - 2)
        return ""
    }
    function refuse(why) {
        printf "%s: %s: %s\n", $2, $3, why
        refused = 1
    }
    NR == FNR {
        if (/^[^#]/) {
            known[$1] = 1
            for (i = 2; i <= NF; i++)
                may[$1, $i] = 1
        }
        next
    }
    {
        folder = $1 ~ /^(status|version)$/ ? "base" : $1
        sub(/\.h$/, "", $3)
        if (!(folder in known))
            refuse(folder " is not in src/layers.txt")
        other = noun($3)
        if (other != "" && other != folder && (other in known) && !((folder, other) in may))
            refuse(folder " may not use " other)
        for (library in known)
            if (library ~ /^</ && index($3, library) == 1 && !((library, folder) in may))
                refuse(folder " may not use this library")
    }
    END { exit refused }' src/layers.txt -
