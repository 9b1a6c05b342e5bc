/* The windows of convolutions and pools, as the formats say them. */
#include "export/node.h"

#include "base/failure.h"

/* Three numbers of an attribute; of five the first two, batch and channels, must be 1. */
static bool read_three(const struct node *node, const char *name, int out[3])
{
    const struct attribute *attribute = node_attribute(node, name);
    int skip = attribute && attribute->count == 5 ? 2 : 0;
    if (!attribute || attribute->count - skip != 3)
        return false;
    for (int i = 0; i < attribute->count; i++) {
        if (attribute->ints[i] < 1 || attribute->ints[i] > 1 << 16 ||
            (i < skip && attribute->ints[i] != 1))
            return false;
        if (i >= skip)
            out[i - skip] = (int)attribute->ints[i];
    }
    return true;
}

static bool all_ones(const struct node *node, const char *name)
{
    const struct attribute *attribute = node_attribute(node, name);
    for (int i = 0; attribute && i < attribute->count; i++)
        if (attribute->ints[i] != 1)
            return false;
    return true;
}

/* ONNX has all fronts before all backs, MINDIR front and back of each axis, and SAME_UPPER is said
 * in words. */
static bool read_pads(const struct node *node, struct op *op)
{
    const struct attribute *same = node_attribute(node, "auto_pad");
    const struct attribute *pads = node_attribute(node, "pads");
    const struct attribute *list = node_attribute(node, "pad_list");
    for (int d = 0; d < 3; d++) {
        int size = op->size_in[d], stride = op->stride[d];
        int total = ((size + stride - 1) / stride - 1) * stride + op->kernel[d] - size;
        int64_t front = total > 0 ? total / 2 : 0, back = total > 0 ? total - front : 0;
        if (!same || !bytes_equal(same->text, "SAME_UPPER")) {
            if (same || (pads != NULL) == (list != NULL) || (pads ? pads : list)->count != 6)
                return false;
            front = pads ? pads->ints[d] : list->ints[2 * d];
            back = pads ? pads->ints[3 + d] : list->ints[2 * d + 1];
        }
        if (front < 0 || back < 0 || front >= op->kernel[d] || back >= op->kernel[d])
            return false;
        op->front[d] = (int)front;
        op->back[d] = (int)back;
    }
    return true;
}

i3d_status node_window(const struct node *node, const int64_t shape[5], struct op *op)
{
    for (int d = 0; d < 3; d++)
        op->size_in[d] = (int)shape[2 + d];
    op->in_channels = op->channels = (int)shape[1];
    if (bytes_equal(node->type, "GlobalMaxPool")) {
        for (int d = 0; d < 3; d++) {
            op->kernel[d] = op->size_in[d];
            op->stride[d] = op->size_out[d] = 1;
        }
        return I3D_OK;
    }
    if (!(read_three(node, "kernel_shape", op->kernel) ||
          read_three(node, "kernel_size", op->kernel)) ||
        !read_three(node, "strides", op->stride) || !read_pads(node, op) ||
        !all_ones(node, "dilations") || !all_ones(node, "group") || !all_ones(node, "groups"))
        return node_refuse(node, "has a window that none of ours has");
    for (int d = 0; d < 3; d++) {
        int room = op->size_in[d] + op->front[d] + op->back[d] - op->kernel[d];
        if (room < 0)
            return node_refuse(node, "has a window larger than its map");
        op->size_out[d] = room / op->stride[d] + 1;
    }
    return I3D_OK;
}
