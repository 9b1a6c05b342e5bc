/* A written file read back: its operators as they stand in it. */
#ifndef I3D_EXPORT_NODE_H
#define I3D_EXPORT_NODE_H

#include <i3d/status.h>

#include "model/graph.h"
#include "wire/bytes.h"

enum { NODE_INPUTS = 8, NODE_ATTRIBUTES = 16, ATTRIBUTE_NUMBERS = 10 };

/* The numbers of the fields in which ONNX and MINDIR differ; 0: it has none. */
struct schema {
    unsigned graph_input, graph_output;
    unsigned text, ints, values; /* of an attribute; values: attributes inside it */
    bool typed;                  /* a value's shape is part of a type, not of a tensor */
};

extern const struct schema schema_onnx, schema_mindir;

/* Names and texts are loans from the file, without the graph's name that MINDIR puts before them.
 */
struct attribute {
    struct bytes name, text;
    float real;
    int count;
    int64_t ints[ATTRIBUTE_NUMBERS];
};

struct node {
    struct bytes type, output, inputs[NODE_INPUTS];
    int input_count, attribute_count;
    struct attribute attributes[NODE_ATTRIBUTES];
};

struct node_list {
    struct node *nodes; /* in the file's order */
    size_t count, capacity;
    struct bytes input, output; /* the names of the graph's */
    int rank;
    int64_t shape[5]; /* of the input; 0: open */
};

/* Everything of a file in memory but its weights; I3D_EFORMAT if it is not of this form. */
i3d_status nodes_read(const struct schema *schema, struct bytes file, struct node_list *out);
void nodes_clear(struct node_list *list);

/* The node that gives the value; NULL: none. */
const struct node *nodes_find(const struct node_list *list, struct bytes output);

/* A node's attribute; NULL: it has none of this name. */
const struct attribute *node_attribute(const struct node *node, const char *name);

/* "its operator 'Mixed_3b' of type 'Concat' " and why: I3D_EFORMAT. */
i3d_status node_refuse(const struct node *node, const char *why);

/* The window of a convolution or a pool over a map [1, C, t, h, w], and the size it gives. */
i3d_status node_window(const struct node *node, const int64_t shape[5], struct op *op);

#endif
