/*
 * Matrix products, activation functions and Winograd transforms, for stepping (kernel.c) and
 * training (training.c).
 */
#ifndef BLOCKS_H
#define BLOCKS_H
#include "kernel.h"
#include "vectors.h"

#include <string.h>

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef int32_t bits __attribute__((vector_size(sizeof(vec))));

enum { TILE = 4, WINDOW = 6, POINTS = 36, CELLS = 16, MOST_TILES = 16, LINE = 64 / sizeof(float) };

/*
 * Defines a function that computes a block of the matrix y = start + x w, where x is [rows, depth]
 * and w is [depth, outputs]. The block has ROWS rows and is VECTORS vectors wide. `x_row` and
 * `x_step` are the distances in memory between neighbouring rows and columns of x. To use the
 * transpose of a stored matrix as x, exchange its two distances. `start_row` is the distance
 * between rows of `start`, or 0 if all rows of y start with the same row (a bias).
 */
#define DEFINE_BLOCK(ROWS, VECTORS)                                                                    \
  static void block_##ROWS##_##VECTORS(int depth, const float *x, ptrdiff_t x_row, ptrdiff_t x_step,   \
                                       const float *w, ptrdiff_t w_row, const float *start,            \
                                       ptrdiff_t start_row, float *y, ptrdiff_t y_row) {               \
    vec sum[ROWS][VECTORS];                                                                            \
    UNROLL for (int r = 0; r < ROWS; r++)                                                              \
      UNROLL for (int v = 0; v < VECTORS; v++)                                                         \
        sum[r][v] = start ? load(start + r * start_row + v * LANES) : all(0);                          \
    for (int k = 0; k < depth; k++, w += w_row, x += x_step) {                                         \
      vec weight[VECTORS];                                                                             \
      UNROLL for (int v = 0; v < VECTORS; v++) weight[v] = load(w + v * LANES);                        \
      UNROLL for (int v = 0; v < VECTORS; v++) IN_REGISTER(weight[v]);                                 \
      UNROLL for (int r = 0; r < ROWS; r++) {                                                          \
        const vec value = all(x[r * x_row]);                                                           \
        UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = fma(value, weight[v], sum[r][v]);         \
      }                                                                                                \
    }                                                                                                  \
    UNROLL for (int r = 0; r < ROWS; r++)                                                              \
      UNROLL for (int v = 0; v < VECTORS; v++) store(y + r * y_row + v * LANES, sum[r][v]);            \
  }

#define CALL_BLOCK(ROWS, VECTORS)                                                                      \
  block_##ROWS##_##VECTORS(depth, x + row * x_row, x_row, x_step, w + at, outputs,                     \
                           start ? start + row * start_row + at : 0, start_row,                        \
                           y + row * outputs + at, outputs)

/* Computes a column of y that is VECTORS vectors wide, in blocks of at most MOST rows. */
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
 * Computes y [rows, outputs] = start + x [rows, depth] w [depth, outputs]; see DEFINE_BLOCK.
 * `outputs` must be a multiple of LANES. `start` can be y itself, or a null pointer, which adds
 * nothing.
 */
static void multiply(int rows, int depth, int outputs, const float *x, ptrdiff_t x_row, ptrdiff_t x_step,
                     const float *w, const float *start, ptrdiff_t start_row, float *y) {
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
  const vec low = largest(all(-87.0f), least(all(0), x));
  /*
   * Round to a whole number: adding 1.5 * 2^23 leaves the rounded number in the lowest bits of the
   * sum.
   */
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

/* Applies ELU if `elu` is set, otherwise ReLU. NaN stays NaN. */
INLINE vec activated(vec x, int elu) { return elu ? elu_of(x) : largest(all(0), x); }

INLINE void activate(float *x, int size, int elu) {
  for (int i = 0; i < size; i += LANES) store(x + i, activated(load(x + i), elu));
}

/* Copies a small array, faster than memcpy. */
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

/*
 * Winograd's transform in one dimension: computes the values t at the six Winograd points from six
 * values d of the image. `step` is the distance between points in t.
 */
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

/*
 * Winograd's inverse transform in one dimension: computes four values t of a tile from the products
 * m at the six Winograd points.
 */
INLINE void from_points(const vec *m, vec *t) {
  const vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], e = m[3] - m[4];
  t[0] = (m[0] + a) + c;
  t[1] = fma(all(2), e, b);
  t[2] = fma(all(4), c, a);
  t[3] = fma(all(8), e, b) + m[5];
}

/*
 * Transforms a 6x6 window of the image to the 36 Winograd points, [channels] each. `row` is the
 * distance between rows of `image`, and `apart` the distance between points in `to`.
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
 * Transforms the products at the 36 Winograd points, [hidden] each, to the 16 cells of a tile, [16,
 * hidden]. Then multiplies by `scale` and adds `shift`. `apart` is the distance between points in
 * `products`.
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
 * Returns the number of arrays [rows, hidden] in the argument `x` of `think`: one for the result of
 * perception, and one for each hidden layer.
 */
INLINE int activations(const Net *net) { return 1 + net->blocks * net->depth; }

/*
 * Computes all layers after perception. The first array in x must be the result of perception,
 * [rows, hidden]. The result of each hidden layer is written to the next array in x. A block's
 * input is added to the result of the block's last layer. The net's last layer computes the changes
 * of the states, [rows, channels], and writes them to `change`.
 */
static void think(const Net *net, const float *layers, int rows, float *x, float *change) {
  const int inputs = net->hidden, hidden = net->wide_hidden, size = rows * hidden;
  const ptrdiff_t bias = (ptrdiff_t)inputs * hidden;
  if (net->activates) activate(x, size, net->elu);
  for (int block = 0; block < net->blocks; block++) {
    const float *start = x;
    for (int i = 0; i < net->depth; i++, x += size, layers += bias + hidden) {
      multiply(rows, inputs, hidden, x, hidden, 1, layers, layers + bias, 0, x + size);
      if (i < net->depth - 1 || net->activates_last) activate(x + size, size, net->elu);
    }
    add(x, start, size);
  }
  multiply(rows, inputs, net->wide_channels, x, hidden, 1, layers, layers + (ptrdiff_t)inputs * net->wide_channels, 0,
           change);
}

/*
 * Returns the number of tiles along one side of a patch. The last tile may extend beyond the patch.
 */
INLINE int tiles_along(const Net *net) { return (net->side + TILE - 1) / TILE; }

/*
 * Returns the size of an image: a copy of a patch, extended to whole tiles, with a border of zeros.
 */
INLINE ptrdiff_t image_size(const Net *net) {
  const ptrdiff_t side = tiles_along(net) * TILE + 2;
  return side * side * net->wide_channels;
}

#endif
