# The program, its header and its build agree on the version.
version=$(sed -n 's/^project(i3d VERSION \([0-9.]*\) .*/\1/p' "$I3D_SOURCE/CMakeLists.txt")
same "i3d $version" "$(i3d --version)"
same "i3d $version" "$(i3d version)"
header=$I3D_SOURCE/include/i3d/version.h
same "$version" "$(sed -n 's/^#define I3D_VERSION_[A-Z]* \([0-9]*\)$/\1/p' "$header" | paste -sd.)"
