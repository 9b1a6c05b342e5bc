# A result that did not reach its reader is a failure.
[ -e /dev/full ] || skip 'no /dev/full here'
fails 1 'cannot write to the standard output: No space left on device' \
    sh -c '"$I3D" help >/dev/full'
