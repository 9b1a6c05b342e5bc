# Every command that the list names explains itself, and three ways to ask give one answer.
i3d help >list
grep -q '^usage: i3d COMMAND' list
for command in $(sed -n 's/^  \([a-z-]*\)  .*/\1/p' list); do
    i3d help "$command" >one
    grep -q "^usage: i3d $command" one
    grep -q '^Example:' one
    i3d "$command" --help | cmp - one
    i3d "$command" -h | cmp - one
    count=$((${count:-0} + 1))
done
[ "$count" -ge 3 ]
i3d --help | cmp - list
i3d -h | cmp - list
