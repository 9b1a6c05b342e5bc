/* Views: tensors whose elements lie scattered in a storage. */
#include "checkpoint/format.h"

#include "base/failure.h"

#include <string.h>

/* The place of the view's last element; false if it cannot be. Strides are never negative. */
static bool last_element(const struct view *view, int64_t *out)
{
    int64_t last = view->offset, step;
    for (int i = 0; i < view->rank; i++)
        if (view->strides[i] < 0 ||
            __builtin_mul_overflow(view->shape[i] - 1, view->strides[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    *out = last;
    return true;
}

static i3d_status check(const struct view *view, const char *name, size_t *bytes)
{
    int64_t last;
    size_t size = i3d_dtype_size(view->dtype);
    if (view->offset < 0 || !shape_bytes(view->dtype, view->rank, view->shape, bytes))
        return failure(I3D_EFORMAT, "tensor '%s' has an impossible shape", name);
    if (*bytes == 0)
        return I3D_OK;
    if (*bytes > view->storage.count || !last_element(view, &last) ||
        (uint64_t)last >= view->storage.count / size)
        return failure(I3D_EFORMAT,
                       "tensor '%s' of %zu bytes reaches beyond its storage of %zu bytes; the file "
                       "is damaged or cut off: copy it again",
                       name, *bytes, view->storage.count);
    return I3D_OK;
}

bool view_is_dense(const struct view *view)
{
    int64_t stride = 1;
    for (int i = view->rank - 1; i >= 0; i--) {
        if (view->shape[i] != 1 && view->strides[i] != stride)
            return false;
        stride *= view->shape[i];
    }
    return true;
}

void view_gather(const struct view *view, size_t count, uint8_t *out)
{
    size_t size = i3d_dtype_size(view->dtype);
    int64_t index[I3D_RANK_MAX] = { 0 }, at = view->offset;
    for (size_t i = 0; i < count; i++) {
        memcpy(out + i * size, view->storage.at + (size_t)at * size, size);
        for (int axis = view->rank - 1; axis >= 0; axis--) {
            at += view->strides[axis];
            if (++index[axis] < view->shape[axis])
                break;
            at -= view->strides[axis] * view->shape[axis];
            index[axis] = 0;
        }
    }
}

i3d_status weights_add_view(i3d_weights *weights, const char *name, const struct view *view)
{
    size_t bytes, size = i3d_dtype_size(view->dtype);
    i3d_tensor *tensor;
    i3d_status status;
    TRY(check(view, name, &bytes));
    TRY(i3d_weights_add(weights, name, view->dtype, view->rank, view->shape, &tensor));
    if (bytes && view_is_dense(view))
        memcpy(tensor->data, view->storage.at + (size_t)view->offset * size, bytes);
    else
        view_gather(view, bytes / size, tensor->data);
out:
    return status;
}
