/* The version, as semver.org reads it. */
#ifndef I3D_VERSION_H
#define I3D_VERSION_H

#define I3D_VERSION_MAJOR 0
#define I3D_VERSION_MINOR 1
#define I3D_VERSION_PATCH 0
#define I3D_VERSION "0.1.0"

#endif
