/*
 * Steps patches of a cell rule. Computes perception, layers and update of a few tiles at a time, so that the numbers
 * that one layer writes are still in the cache when the next layer reads them. native.ts calls it through addon.c.
 *
 * Perception is a 3x3 convolution by Winograd's minimal filtering F(4x4, 3x3), with the points 0, 1, -1, 2, -2 and
 * infinity (Lavin and Gray 2016, arXiv 1509.09308). It needs a quarter of the multiplications.
 *
 * Every sum is added in a fixed order, and multiplications are fused with additions exactly where the code says `fma`.
 * A vector holds different outputs, never parts of one sum. So a patch's result is the same in any batch, and on any
 * processor that has fused operations.
 */
#include "kernel.h"
#include "vectors.h"

#include <string.h>

const int is_fused = FUSED;

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { TILE = 4, WINDOW = 6, POINTS = 36, CELLS = 16, MOST_TILES = 16, LINE = 64 / sizeof(float) };

/*
 * Defines a function that computes ROWS rows and VECTORS vectors of y = bias + x w; x is [rows, depth], w [depth,
 * outputs].
 */
#define DEFINE_BLOCK(ROWS, VECTORS)                                                                    \
  static void block_##ROWS##_##VECTORS(int depth, const float *x, ptrdiff_t x_stride, const float *w,  \
                                       ptrdiff_t w_stride, const float *bias, float *y,                \
                                       ptrdiff_t y_stride) {                                           \
    vec sum[ROWS][VECTORS];                                                                            \
    UNROLL for (int v = 0; v < VECTORS; v++) {                                                         \
      const vec first = bias ? load(bias + v * LANES) : all(0);                                        \
      UNROLL for (int r = 0; r < ROWS; r++) sum[r][v] = first;                                         \
    }                                                                                                  \
    for (int k = 0; k < depth; k++, w += w_stride) {                                                   \
      vec weight[VECTORS];                                                                             \
      UNROLL for (int v = 0; v < VECTORS; v++) weight[v] = load(w + v * LANES);                        \
      UNROLL for (int v = 0; v < VECTORS; v++) IN_REGISTER(weight[v]);                                 \
      UNROLL for (int r = 0; r < ROWS; r++) {                                                          \
        const vec value = all(x[r * x_stride + k]);                                                    \
        UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = fma(value, weight[v], sum[r][v]);         \
      }                                                                                                \
    }                                                                                                  \
    UNROLL for (int r = 0; r < ROWS; r++)                                                              \
      UNROLL for (int v = 0; v < VECTORS; v++) store(y + r * y_stride + v * LANES, sum[r][v]);         \
  }

#define CALL_BLOCK(ROWS, VECTORS)                                                                      \
  block_##ROWS##_##VECTORS(depth, x + row * x_stride, x_stride, w + at, outputs, bias ? bias + at : 0, \
                           y + row * outputs + at, outputs)

/* Computes VECTORS vectors of all rows, MOST rows at a time, which are as many as the registers hold. */
#define COLUMN(MOST, VECTORS)                                                                          \
  for (int row = 0; row < rows;) {                                                                     \
    const int left = rows - row;                                                                       \
    if (left >= MOST) CALL_BLOCK(MOST, VECTORS), row += MOST;                                          \
    else if (left >= 2) CALL_BLOCK(2, VECTORS), row += 2;                                              \
    else CALL_BLOCK(1, VECTORS), row += 1;                                                             \
  }

#if MOST_VECTORS == 3
DEFINE_BLOCK(8, 1) DEFINE_BLOCK(4, 2) DEFINE_BLOCK(4, 3)
#else
DEFINE_BLOCK(8, 1) DEFINE_BLOCK(8, 2) DEFINE_BLOCK(8, 3) DEFINE_BLOCK(4, 4) DEFINE_BLOCK(4, 5)
DEFINE_BLOCK(1, 4) DEFINE_BLOCK(2, 4) DEFINE_BLOCK(1, 5) DEFINE_BLOCK(2, 5)
#endif
DEFINE_BLOCK(1, 1) DEFINE_BLOCK(2, 1) DEFINE_BLOCK(1, 2) DEFINE_BLOCK(2, 2) DEFINE_BLOCK(1, 3) DEFINE_BLOCK(2, 3)

/*
 * Computes y [rows, outputs] = bias + x [rows, depth] w [depth, outputs]. `outputs` is a multiple of LANES; `bias` may
 * be 0.
 */
static void multiply(int rows, int depth, int outputs, const float *x, ptrdiff_t x_stride, const float *w,
                     const float *bias, float *y) {
  for (int at = 0; at < outputs;) {
    int vectors = (outputs - at) / LANES;
    if (vectors > MOST_VECTORS) vectors = vectors == MOST_VECTORS + 1 ? MOST_VECTORS - 1 : MOST_VECTORS;
    switch (vectors) {
      case 1: COLUMN(8, 1) break;
#if MOST_VECTORS == 3
      case 2: COLUMN(4, 2) break;
      default: COLUMN(4, 3)
#else
      case 2: COLUMN(8, 2) break;
      case 3: COLUMN(8, 3) break;
      case 4: COLUMN(4, 4) break;
      default: COLUMN(4, 5)
#endif
    }
    at += vectors * LANES;
  }
}

/* Computes the ELU: e^x - 1 if x < 0, otherwise x. */
INLINE vec elu_of(vec x) {
  typedef int32_t bits __attribute__((vector_size(sizeof(vec))));
  const vec low = largest(all(-87.0f), least(all(0), x));
  /* Adding 1.5 * 2^23 rounds to a whole number and puts it in the lowest bits. */
  const vec shifted = fma(low, all(1.44269504f), all(12582912.0f));
  const vec whole = shifted - all(12582912.0f);
  const vec rest = fma(whole, all(-1.42860677e-6f), fma(whole, all(-0.693145752f), low));
  vec power = all(1.0f / 5040);
  power = fma(power, rest, all(1.0f / 720));
  power = fma(power, rest, all(1.0f / 120));
  power = fma(power, rest, all(1.0f / 24));
  power = fma(power, rest, all(1.0f / 6));
  power = fma(power, rest, all(0.5f));
  power = fma(power, rest, all(1));
  power = fma(power, rest, all(1));
  const vec grown = (vec)((bits)power + ((bits)shifted << 23));
  return largest(all(0), x) + (grown - all(1));
}

/* Applies the activation function. NaN stays NaN. */
INLINE vec activated(vec x, int elu) { return elu ? elu_of(x) : largest(all(0), x); }

INLINE void activate(float *x, int size, int elu) {
  for (int i = 0; i < size; i += LANES) store(x + i, activated(load(x + i), elu));
}

/* Copies a few numbers, faster than memcpy does. */
INLINE void copy(float *to, const float *from, int size) {
  int i = 0;
  for (; i + LANES <= size; i += LANES) store(to + i, load(from + i));
  for (; i + 4 <= size; i += 4) memcpy(to + i, from + i, 4 * sizeof(float));
  for (; i < size; i++) to[i] = from[i];
}

/* Computes x += y. */
INLINE void add(float *x, const float *y, int size) {
  for (int i = 0; i < size; i += LANES) store(x + i, load(x + i) + load(y + i));
}

/* Computes x += weight * y. */
INLINE void add_weighted(float *x, float weight, const float *y, int size) {
  for (int i = 0; i < size; i += LANES) store(x + i, load(x + i) + all(weight) * load(y + i));
}

/* Transforms six numbers of the image to one number per point; `step` is the distance between points in t. */
INLINE void to_points(const vec *d, vec *t, int step) {
  const vec four = all(4), two = all(2), five = all(-5);
  const vec a = fma(all(-4), d[2], d[4]), b = fma(all(-4), d[1], d[3]);
  const vec c = d[4] - d[2], e = two * (d[3] - d[1]);
  t[0] = fma(four, d[0], fma(five, d[2], d[4]));
  t[step] = a + b;
  t[2 * step] = a - b;
  t[3 * step] = c + e;
  t[4 * step] = c - e;
  t[5 * step] = fma(four, d[1], fma(five, d[3], d[5]));
}

/* Transforms the products at the six points to the four numbers of a tile. */
INLINE void from_points(const vec *m, vec *t) {
  const vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], e = m[3] - m[4];
  t[0] = (m[0] + a) + c;
  t[1] = fma(all(2), e, b);
  t[2] = fma(all(4), c, a);
  t[3] = fma(all(8), e, b) + m[5];
}

/*
 * Transforms a 6x6 window of the image to [channels] per point. `row` is the distance between rows of the image,
 * `apart` the distance between points in `to`.
 */
static void transform_window(const float *image, ptrdiff_t row, int channels, float *to, ptrdiff_t apart) {
  for (int c = 0; c < channels; c += LANES) {
    vec half[POINTS];
    for (int x = 0; x < WINDOW; x++) {
      vec d[WINDOW];
      UNROLL for (int y = 0; y < WINDOW; y++) d[y] = load(image + y * row + x * channels + c);
      to_points(d, half + x, WINDOW);
    }
    for (int y = 0; y < WINDOW; y++) {
      vec t[WINDOW];
      to_points(half + y * WINDOW, t, 1);
      UNROLL for (int x = 0; x < WINDOW; x++) store(to + (y * WINDOW + x) * apart + c, t[x]);
    }
  }
}

/*
 * Transforms the products [hidden] at each point to the tile's cells [16, hidden], then scales and shifts them. `apart`
 * is the distance between points in `products`.
 */
static void transform_back(const float *products, ptrdiff_t apart, int hidden, const float *scale, const float *shift,
                           float *cells) {
  for (int h = 0; h < hidden; h += LANES) {
    vec half[TILE][WINDOW];
    for (int x = 0; x < WINDOW; x++) {
      vec m[WINDOW], t[TILE];
      UNROLL for (int y = 0; y < WINDOW; y++) m[y] = load(products + (y * WINDOW + x) * apart + h);
      from_points(m, t);
      UNROLL for (int y = 0; y < TILE; y++) half[y][x] = t[y];
    }
    const vec by = load(scale + h), plus = load(shift + h);
    for (int y = 0; y < TILE; y++) {
      vec t[TILE];
      from_points(half[y], t);
      UNROLL for (int x = 0; x < TILE; x++) store(cells + (y * TILE + x) * hidden + h, fma(t[x], by, plus));
    }
  }
}

/*
 * Computes the layers after perception for a tile: from perception's result `seen` [16, hidden], which is overwritten,
 * to the changes of the cells' states.
 */
static void think(const Net *net, const float *layers, float *seen, float *spare, float *change) {
  const int inputs = net->hidden, hidden = net->wide_hidden, size = CELLS * hidden;
  const ptrdiff_t layer = (ptrdiff_t)(inputs + 1) * hidden, bias = (ptrdiff_t)inputs * hidden;
  if (net->activates) activate(seen, size, net->elu);
  for (int block = 0; block < net->blocks; block++) {
    float *from = seen;
    for (int i = 0; i < net->depth; i++, layers += layer) {
      float *to = spare + i % 2 * size;
      multiply(CELLS, inputs, hidden, from, hidden, layers, layers + bias, to);
      if (i < net->depth - 1 || net->activates_last) activate(to, size, net->elu);
      from = to;
    }
    add(seen, from, size);
  }
  multiply(CELLS, inputs, net->wide_channels, seen, hidden, layers, layers + (ptrdiff_t)inputs * net->wide_channels,
           change);
}

/* Number of tiles along a side of the patch. The last tile may reach beyond the patch. */
INLINE int tiles_along(const Net *net) { return (net->side + TILE - 1) / TILE; }

/* Number of values in a copy of a patch with a border of zeros. */
INLINE ptrdiff_t image_size(const Net *net) {
  const ptrdiff_t side = tiles_along(net) * TILE + 2;
  return side * side * net->wide_channels;
}

ptrdiff_t layers_size(const Net *net) {
  const ptrdiff_t inputs = net->hidden, hidden = net->wide_hidden;
  return 2 * hidden + net->blocks * net->depth * (inputs + 1) * hidden + (inputs + 1) * net->wide_channels;
}

/*
 * Computes one tile's new states: kept * s + change, clamped to the limit. Cells that the mask excludes do not change.
 * Writes them to `after`, the patch's cells [side, side, channels]. With the weights of a genome [side, side], adds the
 * weighted states to `mixed` [16, channels] instead, without fusing, so that a state with the weight 1 stays the same.
 */
static void update_tile(const Net *net, int top, int left, const float *image, float *change, const float *mask,
                        const float *weights, float *mixed, float *after) {
  const int channels = net->wide_channels, wide = tiles_along(net) * TILE + 2;
  const vec kept = all(net->kept), most = all(net->limit), fewest = all(-net->limit);
  for (int y = 0; y < TILE && top + y < net->side; y++) {
    for (int x = 0; x < TILE && left + x < net->side; x++) {
      const ptrdiff_t at = (ptrdiff_t)(top + y) * net->side + left + x;
      const float *state = image + ((ptrdiff_t)(top + y + 1) * wide + left + x + 1) * channels;
      float *cell = change + (y * TILE + x) * channels;
      const int is_updated = !mask || mask[at] != 0;
      if (weights && weights[at] == 0) continue;
      for (int c = 0; c < channels; c += LANES) {
        const vec old = load(state + c);
        const vec moved = is_updated ? fma(kept, old, load(cell + c)) : old;
        store(cell + c, largest(fewest, least(most, moved)));
      }
      if (!weights) copy(after + at * net->channels, cell, net->channels);
      else add_weighted(mixed + (y * TILE + x) * channels, weights[at], cell, channels);
    }
  }
}

ptrdiff_t perception_size(const Net *net) { return (ptrdiff_t)POINTS * net->channels * net->wide_hidden; }

int whole_vectors(int numbers) { return (numbers + LANES - 1) / LANES * LANES; }

/* Pointers to a patch's weights and to the parts of the working memory. */
typedef struct {
  const float *perception;
  /* The layers of a patch, [layers_size], or those of a chimera's genomes, [genomes, layers_size]. */
  const float *layers;
  /*
   * `windows` holds [tiles, channels] and `products` [tiles, hidden] for each of the 36 points. `seen`, `spare` and
   * `change` are those of one tile, as is `mixed` of a chimera.
   */
  float *image, *windows, *products, *seen, *spare, *change, *mixed;
} Memory;

/* Prefetches the cache lines with the numbers from `from` up to, but excluding, `to`, which will be read soon. */
INLINE void expect(const float *numbers, ptrdiff_t from, ptrdiff_t to) {
  for (ptrdiff_t i = from / LINE * LINE; i < to; i += LINE) __builtin_prefetch(numbers + i, 0, 2);
}

/* Prefetches the cache lines to which a tile's new states will be written. */
INLINE void expect_tile(const Net *net, int top, int left, const float *after) {
  for (int y = 0; y < TILE && top + y < net->side; y++) {
    const float *row = after + ((ptrdiff_t)(top + y) * net->side + left) * net->channels;
    for (int i = 0; i < TILE * net->channels; i += LINE) __builtin_prefetch(row + i, 1);
  }
}

/* Whether any cell of a tile has a weight [side, side] that is not 0. */
static int has_weight(const Net *net, int top, int left, const float *weights) {
  for (int y = top; y < top + TILE && y < net->side; y++) {
    for (int x = left; x < left + TILE && x < net->side; x++) {
      if (weights[(ptrdiff_t)y * net->side + x] != 0) return 1;
    }
  }
  return 0;
}

/*
 * Computes the layers and the update of a tile by one set of layers, from perception's `products`. @param weights see
 * update_tile
 */
static void step_tile(const Net *net, const Memory *at, int top, int left, const float *products, ptrdiff_t apart,
                      const float *layers, const float *mask, const float *weights, float *after) {
  transform_back(products, apart, net->wide_hidden, layers, layers + net->wide_hidden, at->seen);
  think(net, layers + 2 * net->wide_hidden, at->seen, at->spare, at->change);
  update_tile(net, top, left, at->image, at->change, mask, weights, at->mixed, after);
}

/* Steps a tile of a chimera by each genome that has weight in it, and writes the sum of the weighted states. */
static void step_mixed_tile(const Net *net, const Memory *at, const Batch *batch, int top, int left,
                            const float *products, ptrdiff_t apart) {
  const int side = net->side, channels = net->wide_channels;
  const ptrdiff_t layers = layers_size(net);
  /* Not 0, because a state of -0 would become 0. */
  for (int i = 0; i < CELLS * channels; i += LANES) store(at->mixed + i, all(-0.0f));
  for (int genome = 0; genome < batch->genomes; genome++) {
    const float *weights = batch->weights + (ptrdiff_t)genome * side * side;
    if (!has_weight(net, top, left, weights)) continue;
    step_tile(net, at, top, left, products, apart, at->layers + genome * layers, batch->mask, weights, 0);
  }
  for (int y = 0; y < TILE && top + y < side; y++) {
    for (int x = 0; x < TILE && left + x < side; x++) {
      const ptrdiff_t cell = (ptrdiff_t)(top + y) * side + left + x;
      copy(batch->after + cell * net->channels, at->mixed + (y * TILE + x) * channels, net->channels);
    }
  }
}

/* Steps the patch with this index in the batch. */
static void step_patch(const Net *net, const Memory *at, const Batch *batch, ptrdiff_t index) {
  const ptrdiff_t cells = (ptrdiff_t)net->side * net->side;
  const float *states = batch->states + index * cells * net->channels;
  const float *mask = batch->mask ? batch->mask + index * cells : 0;
  float *after = batch->after + index * cells * net->channels;
  const int side = net->side, channels = net->wide_channels, hidden = net->wide_hidden;
  const int along = tiles_along(net), count = along * along, groups = (count + MOST_TILES - 1) / MOST_TILES;
  const ptrdiff_t row = (ptrdiff_t)(along * TILE + 2) * channels;
  const ptrdiff_t of_row = (ptrdiff_t)side * net->channels;
  int copied = 0;
  for (int group = 0; group < groups; group++) {
    const int first = count * group / groups, tiles = count * (group + 1) / groups - first;
    /*
     * Adds a cache line between points. Otherwise, the lines of different points would compete for the same places in
     * the cache.
     */
    const ptrdiff_t apart = (ptrdiff_t)tiles * channels + LINE, products_apart = (ptrdiff_t)tiles * hidden + LINE;
    /* Copies only the rows of the patch that this group's windows need. Later rows are prefetched below. */
    int needed = (first + tiles - 1) / along * TILE + TILE + 1;
    for (needed = needed < side ? needed : side; copied < needed; copied++) {
      for (int x = 0; x < side; x++) {
        copy(at->image + (copied + 1) * row + (x + 1) * channels, states + copied * of_row + x * net->channels,
             net->channels);
      }
    }
    const float *next = states + copied * of_row;
    const ptrdiff_t ahead = (side - copied) * of_row / (groups - group > 1 ? groups - group - 1 : 1);
    for (int t = 0; t < tiles; t++) {
      const int tile = first + t;
      transform_window(at->image + tile / along * TILE * row + tile % along * TILE * channels, row, channels,
                       at->windows + t * channels, apart);
    }
    for (int p = 0; p < POINTS; p++) {
      expect(next, ahead * p / POINTS, ahead * (p + 1) / POINTS);
      multiply(tiles, net->channels, hidden, at->windows + p * apart, channels,
               at->perception + (ptrdiff_t)p * net->channels * hidden, 0, at->products + p * products_apart);
    }
    for (int t = 0; t < tiles; t++) {
      const int top = (first + t) / along * TILE, left = (first + t) % along * TILE;
      const float *products = at->products + t * hidden;
      expect_tile(net, top, left, after);
      if (batch->weights) step_mixed_tile(net, at, batch, top, left, products, products_apart);
      else step_tile(net, at, top, left, products, products_apart, at->layers, mask, 0, after);
    }
  }
}

/* Assigns each part of the working memory its place. @returns the end of the last part */
static float *lay_out(const Net *net, float *memory, Memory *at) {
  float *end = memory;
  at->image = end, end += image_size(net);
  at->windows = end, end += POINTS * (MOST_TILES * net->wide_channels + LINE);
  at->products = end, end += POINTS * (MOST_TILES * net->wide_hidden + LINE);
  at->seen = end, end += CELLS * net->wide_hidden;
  at->spare = end, end += 2 * CELLS * net->wide_hidden;
  at->change = end, end += CELLS * net->wide_channels;
  at->mixed = end, end += CELLS * net->wide_channels;
  return end;
}

ptrdiff_t memory_size(const Net *net) {
  const ptrdiff_t of_channels = POINTS * MOST_TILES + 2 * CELLS, of_hidden = POINTS * MOST_TILES + 3 * CELLS;
  return image_size(net) + 2 * POINTS * LINE + of_channels * net->wide_channels + of_hidden * net->wide_hidden +
         MOST_GENOMES * layers_size(net);
}

void step_batch(const Net *net, const Batch *batch, float *memory) {
  Memory at;
  float *own = lay_out(net, memory, &at);
  const ptrdiff_t layers = layers_size(net) * (batch->weights ? batch->genomes : 1);
  at.perception = batch->perception;
  at.layers = batch->own ? own : batch->layers;
  memset(at.image, 0, image_size(net) * sizeof(float));
  for (ptrdiff_t i = 0; i < batch->count; i++) {
    /* Copies the patch's layers to aligned memory, so that vectors do not cross cache lines. */
    if (batch->own) memcpy(own, batch->own + i * layers, layers * sizeof(float));
    step_patch(net, &at, batch, i);
  }
}
