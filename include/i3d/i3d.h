/* Everything, in the order in which data passes through it.
 *
 * Conventions: every call that can fail returns an i3d_status, and i3d_error() has the sentence.
 * What a call gives through `out` is the caller's to free; a const pointer is a loan. Every free
 * and close takes NULL. An object is used by one thread at a time; different objects are
 * independent. Nothing is printed except through i3d_log_to(), and nothing exits. */
#ifndef I3D_H
#define I3D_H

#include <i3d/version.h>

#include <i3d/status.h>
#include <i3d/tensor.h>

#include <i3d/image.h>
#include <i3d/video.h>
#include <i3d/flow.h>
#include <i3d/clip.h>

#include <i3d/model.h>
#include <i3d/comm.h>
#include <i3d/engine.h>
#include <i3d/network.h>
#include <i3d/checkpoint.h>
#include <i3d/eval.h>
#include <i3d/train.h>
#include <i3d/export.h>
#include <i3d/edge.h>

#endif
