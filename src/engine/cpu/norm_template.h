/* Batch norm and ReLU. Sums over positions are taken in chunks in float32, over chunks in float64:
 * the mean and variance of the chunks are joined as Chan, Golub and LeVeque (1979) do. */

/* A chunk's two results for one block of channels. */
static inline float *chunk_at(float *scratch, const struct slice *in, int n, int b, size_t chunk)
{
    size_t blocks = (size_t)block_count(*in), chunks = (in->map + NORM_CHUNK - 1) / NORM_CHUNK;
    return scratch + (((size_t)n * blocks + (size_t)b) * chunks + chunk) * 2 * LANES;
}

static inline size_t chunk_length(const struct slice *in, size_t chunk)
{
    size_t left = in->map - chunk * NORM_CHUNK;
    return left < NORM_CHUNK ? left : NORM_CHUNK;
}

static inline size_t chunk_count(const struct slice *in)
{
    return (in->map + NORM_CHUNK - 1) / NORM_CHUNK;
}

/* Its mean and the sum of squares around it. */
static void measure_chunk(const element *x, size_t length, float *out)
{
    vector sum = { 0 }, squares = { 0 };
    for (size_t i = 0; i < length; i++)
        sum += load(x + i * LANES);
    vector mean = sum / (float)length;
    for (size_t i = 0; i < length; i++) {
        vector difference = load(x + i * LANES) - mean;
        squares += difference * difference;
    }
    store_f32(mean, out);
    store_f32(squares, out + LANES);
}

static void join_chunks(int count, const struct slice *in, float *scratch, int b, int lane,
                        struct norm_factors norm)
{
    double mean = 0, squares = 0, total = 0;
    for (int n = 0; n < count; n++)
        for (size_t chunk = 0; chunk < chunk_count(in); chunk++) {
            const float *part = chunk_at(scratch, in, n, b, chunk);
            double length = (double)chunk_length(in, chunk), difference = part[lane] - mean;
            squares +=
                part[LANES + lane] + difference * difference * total * length / (total + length);
            mean += difference * length / (total + length);
            total += length;
        }
    norm.mean[b * LANES + lane] = (float)mean;
    norm.variance[b * LANES + lane] = (float)(squares / total);
}

static void norm_measure(int count, struct slice in, float *scratch, struct norm_factors norm)
{
    int blocks = block_count(in);
    size_t chunks = chunk_count(&in);
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++)
            for (size_t chunk = 0; chunk < chunks; chunk++)
                measure_chunk((const element *)plane_of(in, n, b) + chunk * NORM_CHUNK * LANES,
                              chunk_length(&in, chunk), chunk_at(scratch, &in, n, b, chunk));
#pragma omp parallel for schedule(static)
    for (int b = 0; b < blocks; b++)
        for (int lane = 0; lane < LANES; lane++)
            join_chunks(count, &in, scratch, b, lane, norm);
}

/* A norm's numbers for one block of channels. */
struct norm_block {
    vector mean, scale, shift;
};

static inline struct norm_block load_norm(struct norm_factors norm, int b)
{
    return (struct norm_block){ load_f32(norm.mean + b * LANES), load_f32(norm.scale + b * LANES),
                                load_f32(norm.shift + b * LANES) };
}

static inline void clear_plane(element *plane, size_t map)
{
    memset(plane, 0, map * LANES * sizeof *plane);
}

static void norm_apply(int count, int samples, struct slice in, struct norm_factors norm,
                       struct slice out)
{
    int blocks = block_count(in);
    size_t chunks = chunk_count(&in);
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < samples; n++)
        for (int b = 0; b < blocks; b++)
            for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t length = chunk_length(&in, chunk), first = chunk * NORM_CHUNK * LANES;
                const element *x = (const element *)plane_of(in, n, b) + first;
                element *y = (element *)plane_of(out, n, b) + first;
                struct norm_block block = load_norm(norm, b);
                if (n >= count) {
                    clear_plane(y, length);
                    continue;
                }
                for (size_t i = 0; i < length * LANES; i += LANES) {
                    vector value = (load(x + i) - block.mean) * block.scale + block.shift;
                    store(select(value < 0, fill(0), value), y + i); /* a NaN stays */
                }
            }
}

/* The gradient where the ReLU let it through; x is the norm's input less its mean. */
static inline vector cut_gradient(vector gradient, vector x, struct norm_block block)
{
    return select(x * block.scale + block.shift > 0, gradient, fill(0));
}

static void sum_chunk(const element *x, const element *gradient, size_t length,
                      struct norm_block block, float *out)
{
    vector sum = { 0 }, product = { 0 };
    for (size_t i = 0; i < length * LANES; i += LANES) {
        vector centred = load(x + i) - block.mean;
        vector cut = cut_gradient(load(gradient + i), centred, block);
        sum += cut;
        product += cut * centred;
    }
    store_f32(sum, out);
    store_f32(product, out + LANES);
}

static void norm_sum(int count, struct slice in, struct slice out_gradient, float *scratch,
                     struct norm_factors norm, struct norm_sums out)
{
    int blocks = block_count(in);
    size_t chunks = chunk_count(&in);
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < count; n++)
        for (int b = 0; b < blocks; b++)
            for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t first = chunk * NORM_CHUNK * LANES;
                sum_chunk((const element *)plane_of(in, n, b) + first,
                          (const element *)plane_of(out_gradient, n, b) + first,
                          chunk_length(&in, chunk), load_norm(norm, b),
                          chunk_at(scratch, &in, n, b, chunk));
            }
#pragma omp parallel for schedule(static)
    for (int c = 0; c < in.channels; c++) {
        double gradient = 0, product = 0;
        for (int n = 0; n < count; n++)
            for (size_t chunk = 0; chunk < chunks; chunk++) {
                const float *part = chunk_at(scratch, &in, n, c / LANES, chunk) + c % LANES;
                gradient += part[0];
                product += part[LANES];
            }
        out.gradient[c] = (float)gradient;
        out.product[c] = (float)product;
    }
}

/* dx = scale * (g - mean(g) - (x - mean) * mean(g * (x - mean)) / (variance + epsilon)); the last
 * two only where mean and variance depend on x. */
static void norm_backward(int count, int samples, struct slice out_gradient,
                          struct norm_factors norm, const struct norm_sums *sums, double elements,
                          double epsilon, struct slice in)
{
    int blocks = block_count(in);
    size_t chunks = chunk_count(&in);
    float positions = (float)elements;
#pragma omp parallel for collapse(3) schedule(static)
    for (int n = 0; n < samples; n++)
        for (int b = 0; b < blocks; b++)
            for (size_t chunk = 0; chunk < chunks; chunk++) {
                size_t length = chunk_length(&in, chunk), first = chunk * NORM_CHUNK * LANES;
                element *x = (element *)plane_of(in, n, b) + first;
                const element *gradient = (const element *)plane_of(out_gradient, n, b) + first;
                struct norm_block block = load_norm(norm, b);
                vector mean = { 0 }, slope = { 0 };
                if (n >= count) {
                    clear_plane(x, length);
                    continue;
                }
                if (sums) {
                    vector variance = load_f32(norm.variance + b * LANES) + (float)epsilon;
                    mean = load_f32(sums->gradient + b * LANES) / positions;
                    slope = load_f32(sums->product + b * LANES) / positions / variance;
                }
                for (size_t i = 0; i < length * LANES; i += LANES) {
                    vector centred = load(x + i) - block.mean;
                    vector cut = cut_gradient(load(gradient + i), centred, block);
                    store(block.scale * (cut - mean - centred * slope), x + i);
                }
            }
}
