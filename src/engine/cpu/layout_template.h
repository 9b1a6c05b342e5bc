/* Between row-major float32 and blocked elements; sums of gradients. */

static void convert_columns(size_t height, size_t width, size_t count, const float *from,
                            element *to)
{
    vector error = { 0 };
    float wide[LANES] = { 0 };
    element narrow[LANES];
    for (size_t y = 0; y < height; y++, from += width, to += width) {
        memcpy(wide, from, count * sizeof *wide);
        vector wanted = load_f32(wide) + error;
        store(wanted, narrow);
        error = wanted - load(narrow);
        memcpy(to, narrow, count * sizeof *narrow);
    }
}

static void convert(size_t planes, size_t height, size_t width, const float *from, void *to)
{
    size_t whole = width / LANES * LANES;
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < planes; p++) {
        const float *plane = from + p * height * width;
        element *converted = (element *)to + p * height * width;
        for (size_t x = 0; x < whole; x += LANES)
            convert_columns(height, width, LANES, plane + x, converted + x);
        convert_columns(height, width, width - whole, plane + whole, converted + whole);
    }
}

/* Channels of block b. */
static inline size_t lane_count(struct slice slice, int b)
{
    int left = slice.channels - b * LANES;
    return (size_t)(left < LANES ? left : LANES);
}

static void pack(int count, const float *from, struct slice to)
{
    int blocks = block_count(to);
#pragma omp parallel for collapse(2) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++) {
            size_t first = (size_t)n * (size_t)to.channels + (size_t)b * LANES;
            const float *channel = from + first * to.map;
            element *plane = plane_of(to, n, b);
            for (size_t i = 0; i < to.map; i++) {
                vector value = { 0 };
                for (size_t lane = 0; lane < lane_count(to, b); lane++)
                    value[lane] = channel[lane * to.map + i];
                store(value, plane + i * LANES);
            }
        }
}

static void unpack(int count, struct slice from, float *to)
{
    int blocks = block_count(from);
#pragma omp parallel for collapse(2) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++) {
            size_t first = (size_t)n * (size_t)from.channels + (size_t)b * LANES;
            float *channel = to + first * from.map;
            const element *plane = plane_of(from, n, b);
            for (size_t i = 0; i < from.map; i++) {
                vector value = load(plane + i * LANES);
                for (size_t lane = 0; lane < lane_count(from, b); lane++)
                    channel[lane * from.map + i] = value[lane];
            }
        }
}

static void add(size_t elements, const void *from, void *to)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < elements; i += LANES)
        store(load((const element *)to + i) + load((const element *)from + i), (element *)to + i);
}
