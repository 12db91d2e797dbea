/*
 * Steps patches of a cell rule for training, and differentiates these steps. Perception uses
 * Winograd's filtering, as in kernel.c. Winograd's transforms are linear, so their gradients are
 * the transposed transforms.
 *
 * A *run* is a few neighbouring tiles of one patch, whose layers are computed together. A *group*
 * is several runs, whose perception is computed together.
 */
#include "blocks.h"

enum { GROUP = 32, RUN = 4, MOST_CELLS = RUN * CELLS };

/*
 * A rollout (several steps of a batch), the sizes of its data, and the parts of its working memory.
 */
typedef struct {
  const Net *net;
  const Rollout *of;
  /*
   * `along`: side of a patch, in tiles. `wide`: side of an image, in cells. `per_patch` and
   * `tiles`: number of tiles of one patch and of the batch.
   */
  int along, wide, per_patch, tiles;
  /*
   * Sizes, in float32 values. `image`: a copy of a patch with a border of zeros. `record`: the
   * results of all layers for one tile. `layers_size`: the padded layers of one patch.
   */
  ptrdiff_t image, record, layers_size;
  /*
   * `images`: copies of the states of all patches, each with a border of zeros. If `records` is
   * set, there is one copy for each step and one for the result. If not, there are two copies,
   * which consecutive steps use in turn. `slopes`: two arrays of gradients with respect to the
   * states, which consecutive steps use in turn.
   */
  float *images, *slopes[2];
  /*
   * `points`: the kernel of perception at the Winograd points, [36, channels, wide_hidden].
   * `turned_points`: its transpose, [36, hidden, wide_channels]. `points_slope`: the gradient with
   * respect to `points`.
   */
  float *points, *turned_points, *points_slope;
  /*
   * `layers`: the layers, padded to whole vectors, [sets, layers_size]. `turned_layers`: the
   * transposes of the layers' weights. `layers_slope`: the gradient with respect to `layers`.
   */
  float *layers, *turned_layers, *layers_slope;
  float *records;
  /*
   * Values of one group of tiles at each of the 36 Winograd points: [tiles, channels] in `windows`,
   * [tiles, hidden] in `products`.
   */
  float *windows, *products;
  /* Values of a run's cells. `change`, `slope`: [cells, channels]; all others: [cells, hidden]. */
  float *change, *slope, *seen_slope, *x_slope, *y_slope, *inner_slope;
  /* Scales of 1, followed by shifts of 0. With these, transform_back neither scales nor shifts. */
  float *one;
} Work;

/*
 * Returns how many arrays [cells, hidden] hold the results of all layers: one for perception, one
 * for each hidden layer, and one for the unscaled result of perception if the layers scale it.
 */
static int arrays_of(const Net *net, const Rollout *of) { return activations(net) + of->scales; }

static float *lay_out(const Net *net, const Rollout *of, Work *w) {
  const int along = tiles_along(net), channels = net->wide_channels, hidden = net->wide_hidden;
  *w = (Work){net, of, along, along * TILE + 2, along * along, along * along * of->count, image_size(net)};
  w->record = (ptrdiff_t)CELLS * hidden * arrays_of(net, of);
  w->layers_size = layers_size(net);
  const ptrdiff_t images = w->image * of->count, points = (ptrdiff_t)POINTS * net->channels * hidden;
  const ptrdiff_t layers = w->layers_size * of->sets;
  float *end = of->memory;
#define PLACE(part, size) w->part = end, end += ((size) + LINE - 1) / LINE * LINE
  PLACE(images, images * (of->records ? of->steps + 1 : 2));
  PLACE(slopes[0], of->records ? images : 0);
  PLACE(slopes[1], of->records ? images : 0);
  PLACE(points, points);
  PLACE(turned_points, (ptrdiff_t)POINTS * net->hidden * channels);
  PLACE(points_slope, points);
  PLACE(layers, layers);
  PLACE(turned_layers, layers);
  PLACE(layers_slope, layers);
  PLACE(records, w->record * (of->records ? (ptrdiff_t)w->tiles * of->steps : RUN));
  PLACE(windows, POINTS * (GROUP * channels + LINE));
  PLACE(products, POINTS * (GROUP * hidden + LINE));
  PLACE(change, MOST_CELLS * channels);
  PLACE(slope, MOST_CELLS * channels);
  PLACE(seen_slope, MOST_CELLS * hidden);
  PLACE(x_slope, MOST_CELLS * hidden);
  PLACE(y_slope, MOST_CELLS * hidden);
  PLACE(inner_slope, MOST_CELLS * hidden);
  PLACE(one, 2 * hidden);
  return end;
}

ptrdiff_t rollout_size(const Net *net, const Rollout *of) {
  Work w;
  Rollout at_zero = *of;
  at_zero.memory = 0;
  return lay_out(net, &at_zero, &w) - (float *)0;
}

ptrdiff_t row_size(const Net *net) {
  const ptrdiff_t inputs = net->hidden;
  return (2 + net->blocks * net->depth * (inputs + 1)) * inputs + (inputs + 1) * net->channels;
}

/*
 * Copies `row` to `layers`, where each part is padded to whole vectors. If `adds` is set, works in
 * the other direction, for gradients: adds `layers`, without the padding, to `row`.
 */
static void pad_layers(const Net *net, float *row, float *layers, int adds) {
  const int of_hidden = 2 + net->blocks * net->depth * (net->hidden + 1);
  for (int i = 0; i < of_hidden + net->hidden + 1; i++) {
    const int size = i < of_hidden ? net->hidden : net->channels;
    for (int k = 0; k < size && adds; k++) row[k] += layers[k];
    if (!adds) copy(layers, row, size);
    row += size;
    layers += whole_vectors(size);
  }
}

/* Transposes a matrix [rows, columns]. The rows of both matrices are padded to whole vectors. */
static void transpose(const float *from, int rows, int columns, float *to) {
  const int from_row = whole_vectors(columns), to_row = whole_vectors(rows);
  for (int c = 0; c < columns; c++) {
    for (int r = 0; r < rows; r++) to[c * to_row + r] = from[r * from_row + c];
    for (int r = rows; r < to_row; r++) to[c * to_row + r] = 0;
  }
}

/* Winograd's matrix G: transforms 3 values of a kernel to 6, one per Winograd point. */
static const float OF_KERNEL[WINDOW][3] = {
    {1.0f / 4, 0, 0},
    {-1.0f / 6, -1.0f / 6, -1.0f / 6},
    {-1.0f / 6, 1.0f / 6, -1.0f / 6},
    {1.0f / 24, 1.0f / 12, 1.0f / 6},
    {1.0f / 24, -1.0f / 12, 1.0f / 6},
    {0, 0, 1},
};

/*
 * Transforms a kernel [3, 3, channels, hidden] to the Winograd points. If `adds` is set, applies
 * the transposed transform to the gradient `points`, and adds the result to `kernel`.
 */
static void transform_kernel(const Net *net, float *kernel, float *points, int adds) {
  const int hidden = net->hidden, wide = net->wide_hidden;
  if (!adds) memset(points, 0, POINTS * net->channels * wide * sizeof(float));
  for (int i = 0; i < POINTS * net->channels; i++, points += wide) {
    for (int t = 0; t < 9; t++) {
      const int p = i / net->channels;
      const float factor = OF_KERNEL[p / WINDOW][t / 3] * OF_KERNEL[p % WINDOW][t % 3];
      float *tap = kernel + (ptrdiff_t)(t * net->channels + i % net->channels) * hidden;
      if (adds) for (int h = 0; h < hidden; h++) tap[h] += factor * points[h];
      else for (int h = 0; h < hidden; h++) points[h] += factor * tap[h];
    }
  }
}

/* The transpose of from_points: from 4 values t of a tile to 6 values m, one per Winograd point. */
INLINE void spread(const vec *t, vec *m, int step) {
  const vec a = t[0] + t[2], b = t[1] + t[3], c = fma(all(4), t[2], t[0]), e = fma(all(8), t[3], all(2) * t[1]);
  m[0] = t[0];
  m[step] = a + b;
  m[2 * step] = a - b;
  m[3 * step] = c + e;
  m[4 * step] = c - e;
  m[5 * step] = t[3];
}

/* The transpose of to_points: from 6 values p, one per Winograd point, to 6 image values d. */
INLINE void gather(const vec *p, vec *d, int step) {
  const vec a = p[1] + p[2], b = p[1] - p[2], c = p[3] + p[4], e = all(2) * (p[3] - p[4]);
  d[0] = all(4) * p[0];
  d[step] = fma(all(4), p[5] - b, all(-1) * e);
  d[2 * step] = fma(all(-5), p[0], fma(all(-4), a, all(-1) * c));
  d[3 * step] = fma(all(-5), p[5], b + e);
  d[4 * step] = (p[0] + a) + c;
  d[5 * step] = p[5];
}

/*
 * The transpose of transform_back (without scales and shifts): from the cells of a tile, [16,
 * hidden], to the 36 Winograd points, [hidden] each.
 */
static void spread_tile(const float *cells, int hidden, float *products, ptrdiff_t apart) {
  for (int h = 0; h < hidden; h += LANES) {
    for (int x = 0; x < TILE; x++) {
      vec t[TILE];
      UNROLL for (int y = 0; y < TILE; y++) t[y] = load(cells + (y * TILE + x) * hidden + h);
      vec m[WINDOW];
      spread(t, m, 1);
      UNROLL for (int y = 0; y < WINDOW; y++) store(products + (y * WINDOW + x) * apart + h, m[y]);
    }
    for (int y = 0; y < WINDOW; y++) {
      vec t[TILE], m[WINDOW];
      UNROLL for (int x = 0; x < TILE; x++) t[x] = load(products + (y * WINDOW + x) * apart + h);
      spread(t, m, 1);
      UNROLL for (int x = 0; x < WINDOW; x++) store(products + (y * WINDOW + x) * apart + h, m[x]);
    }
  }
}

/*
 * The transpose of transform_window: transforms a gradient at the 36 Winograd points, and adds it
 * to a 6x6 window of the image.
 */
static void gather_window(const float *from, ptrdiff_t apart, int channels, float *image, ptrdiff_t row) {
  for (int c = 0; c < channels; c += LANES) {
    vec half[POINTS];
    for (int y = 0; y < WINDOW; y++) {
      vec p[WINDOW];
      UNROLL for (int x = 0; x < WINDOW; x++) p[x] = load(from + (y * WINDOW + x) * apart + c);
      gather(p, half + y * WINDOW, 1);
    }
    for (int x = 0; x < WINDOW; x++) {
      vec p[WINDOW], d[WINDOW];
      UNROLL for (int y = 0; y < WINDOW; y++) p[y] = half[y * WINDOW + x];
      gather(p, d, 1);
      UNROLL for (int y = 0; y < WINDOW; y++) {
        float *at = image + y * row + x * channels + c;
        store(at, load(at) + d[y]);
      }
    }
  }
}

/*
 * Multiplies a gradient by the derivative of the activation function, computed from its result y.
 */
INLINE vec through(vec slope, vec y, int elu) {
  if (elu) return fma(slope, least(all(0), y), slope);
  return (vec)((bits)slope & (bits)(y > all(0)));
}

/* Adds the sum of all rows of a matrix [count, size] to `sum`. */
static void add_rows(const float *rows, int count, int size, float *sum) {
  for (int i = 0; i < size; i += LANES) {
    vec total = all(0);
    for (int r = 0; r < count; r++) total += load(rows + r * size + i);
    store(sum + i, load(sum + i) + total);
  }
}

/*
 * Returns a patch's image (a copy of its states with a border of zeros) before the given step,
 * counted from 0. If `step` is the number of steps, returns the image after the last step.
 */
static float *image_of(const Work *w, int step, int patch) {
  const int at = w->of->records ? step : step % 2;
  return w->images + ((ptrdiff_t)at * w->of->count + patch) * w->image;
}

/* Sets an image's border and its padding channels to zero. With padding, clears the whole image. */
static void clear_margin(const Work *w, float *image) {
  const int side = w->net->side, channels = w->net->wide_channels;
  const ptrdiff_t row = (ptrdiff_t)w->wide * channels;
  for (int y = 0; y < w->wide; y++, image += row) {
    const int is_inside = y > 0 && y <= side && channels == w->net->channels;
    memset(image, 0, (is_inside ? channels : row) * sizeof(float));
    if (is_inside) memset(image + (side + 1) * channels, 0, (w->wide - side - 1) * channels * sizeof(float));
  }
}

static void prepare(const Work *w) {
  const Net *net = w->net;
  const Rollout *of = w->of;
  transform_kernel(net, (float *)of->kernel, w->points, 0);
  memset(w->layers, 0, w->layers_size * of->sets * sizeof(float));
  for (int s = 0; s < of->sets; s++)
    pad_layers(net, (float *)of->layers + s * row_size(net), w->layers + s * w->layers_size, 0);
  for (int step = 0; step < (of->records ? of->steps + 1 : 2); step++)
    for (int patch = 0; patch < of->count; patch++) clear_margin(w, image_of(w, step, patch));
  for (int h = 0; h < 2 * net->wide_hidden; h++) w->one[h] = h < net->wide_hidden;
}

/*
 * Returns the end of the run (a few neighbouring tiles) that begins at `tile`: after RUN tiles, at
 * the end of the patch, or at `end`, whichever comes first.
 */
static int end_of_run(const Work *w, int tile, int end) {
  const int patch_end = (tile / w->per_patch + 1) * w->per_patch;
  if (end > patch_end) end = patch_end;
  return end < tile + RUN ? end : tile + RUN;
}

/* The position of a cell in a loop over the cells of some tiles of a patch. */
typedef struct {
  /* `row`: index among the tiles' cells. `top`, `left`: first row and column of the cell's tile. */
  int row, top, left;
  /* Index of the cell in the batch, and index of its first channel in the patch's image. */
  ptrdiff_t of_batch, image;
} Place;

/*
 * Moves `at` to the next cell of the tiles from `first` to `end` - 1, skipping cells outside the
 * patch.
 *
 * @returns 1 if there is a next cell, otherwise 0
 */
INLINE int next_place(const Work *w, int first, int end, Place *at) {
  const int side = w->net->side;
  for (at->row++; at->row < (end - first) * CELLS; at->row++) {
    const int k = at->row % CELLS;
    if (k == 0) {
      const int tile = (first + at->row / CELLS) % w->per_patch;
      at->top = tile / w->along * TILE;
      at->left = tile % w->along * TILE;
    }
    const int y = at->top + k / TILE, x = at->left + k % TILE;
    if (y >= side || x >= side) continue;
    at->of_batch = (ptrdiff_t)(first / w->per_patch) * side * side + y * side + x;
    at->image = ((ptrdiff_t)(y + 1) * w->wide + x + 1) * w->net->wide_channels;
    return 1;
  }
  return 0;
}
#define EACH_CELL(at) for (Place at = {.row = -1}; next_place(w, first, end, &at);)

/*
 * Returns the memory for the results of all layers of one run (a few neighbouring tiles). `first`
 * is the run's first tile. The results are arrays [cells, hidden]; for their number, see arrays_of.
 */
static float *record_of(const Work *w, int step, int first) {
  return w->records + (w->of->records ? w->record * ((ptrdiff_t)step * w->tiles + first) : 0);
}

/* Returns the offset, in `layers`, of the layers of the patch that contains tile `first`. */
static ptrdiff_t layers_of(const Work *w, int first) {
  return w->of->sets == 1 ? 0 : first / w->per_patch * w->layers_size;
}

static int is_updated(const Work *w, int step, ptrdiff_t cell) {
  const ptrdiff_t cells = (ptrdiff_t)w->of->count * w->net->side * w->net->side;
  return !w->of->masks || w->of->masks[step * cells + cell] != 0;
}
static int is_closed(const Work *w, int step, ptrdiff_t cell) { return w->of->closed && w->of->closed[cell] > step + 0.5f; }

/*
 * Stores the states of a cell before step `step`, counted from 0, in the image of this step. The
 * states before the last step are also stored in `last`. If `step` is the number of steps, the
 * states are final: stores them in `after` and, if `records` is set, in the last image.
 */
static void put_states(const Work *w, int step, int patch, const Place *at, const float *states) {
  const Rollout *of = w->of;
  const int channels = w->net->channels;
  float *to = image_of(w, step, patch) + at->image;
  if (step == of->steps - 1) copy(of->last + at->of_batch * channels, states, channels);
  if (step == of->steps) copy(of->after + at->of_batch * channels, states, channels);
  else if (of->open) for (int c = 0; c < channels; c++) to[c] = states[c] * of->open[at->of_batch];
  else copy(to, states, channels);
  if (step == of->steps && of->records) copy(to, states, channels);
}

/* Computes a step for one run (a few neighbouring tiles). */
static void forward_run(const Work *w, int step, int first, int end, const float *products, ptrdiff_t apart) {
  const Net *net = w->net;
  const Rollout *of = w->of;
  const int hidden = net->wide_hidden, channels = net->wide_channels, patch = first / w->per_patch;
  const int rows = (end - first) * CELLS, size = rows * hidden;
  const vec kept = all(net->kept), most = all(net->limit), fewest = all(-net->limit);
  const float *image = image_of(w, step, patch);
  const float *layers = w->layers + layers_of(w, first);
  const float *scale = layers, *shift = layers + hidden;
  float *x = record_of(w, step, first), *unscaled = x + (ptrdiff_t)size * activations(net);
  for (int t = 0; t < end - first; t++) {
    const ptrdiff_t cells = (ptrdiff_t)t * CELLS * hidden;
    if (of->scales) transform_back(products + t * hidden, apart, hidden, w->one, w->one + hidden, unscaled + cells);
    else transform_back(products + t * hidden, apart, hidden, scale, shift, x + cells);
  }
  for (int r = 0; r < rows && of->scales; r++) {
    for (int i = r * hidden, h = 0; h < hidden; i += LANES, h += LANES)
      store(x + i, fma(load(unscaled + i), load(scale + h), load(shift + h)));
  }
  think(net, layers + 2 * hidden, rows, x, w->change);
  EACH_CELL(at) {
    const float *old = image + at.image;
    float *change = w->change + at.row * channels;
    const int updated = is_updated(w, step, at.of_batch);
    for (int c = 0; c < channels; c += LANES) {
      const vec state = updated ? fma(kept, load(old + c), load(change + c)) : load(old + c);
      store(change + c, largest(fewest, least(most, state)));
    }
    if (is_closed(w, step, at.of_batch)) memset(change, 0, channels * sizeof(float));
    put_states(w, step + 1, patch, &at, change);
  }
}

/*
 * Transforms the tiles `first` to `end` - 1, with their borders, to the Winograd points. @returns
 * the distance between points in `windows`
 */
static ptrdiff_t transform_group(const Work *w, int step, int first, int end) {
  const int channels = w->net->wide_channels;
  const ptrdiff_t row = (ptrdiff_t)w->wide * channels, apart = (ptrdiff_t)(end - first) * channels + LINE;
  for (int t = first; t < end; t++) {
    const float *image = image_of(w, step, t / w->per_patch) + t % w->per_patch / w->along * TILE * row;
    transform_window(image + t % w->along * TILE * channels, row, channels, w->windows + (t - first) * channels, apart);
  }
  return apart;
}

void forward_steps(const Net *net, const Rollout *of) {
  Work work, *w = &work;
  lay_out(net, of, w);
  prepare(w);
  const int channels = net->channels, hidden = net->wide_hidden;
  for (int patch = 0; patch < of->count; patch++) {
    const int first = patch * w->per_patch, end = first + w->per_patch;
    EACH_CELL(at) put_states(w, 0, patch, &at, of->states + at.of_batch * channels);
  }
  for (int step = 0; step < of->steps; step++) {
    for (int first = 0; first < w->tiles; first += GROUP) {
      const int end = first + GROUP < w->tiles ? first + GROUP : w->tiles;
      const ptrdiff_t apart = transform_group(w, step, first, end);
      const ptrdiff_t products_apart = (ptrdiff_t)(end - first) * hidden + LINE;
      for (int p = 0; p < POINTS; p++) {
        multiply(end - first, channels, hidden, w->windows + p * apart, net->wide_channels, 1,
                 w->points + (ptrdiff_t)p * channels * hidden, 0, 0, w->products + p * products_apart);
      }
      for (int t = first, next; t < end; t = next) {
        next = end_of_run(w, t, end);
        forward_run(w, step, t, next, w->products + (t - first) * hidden, products_apart);
      }
    }
  }
}

/*
 * Differentiates the layers for one run (a few neighbouring tiles). `change_slope` [cells,
 * channels] is the gradient with respect to the changes of the states. Adds the gradient with
 * respect to the result of perception to `seen_slope`, and the gradients with respect to the layers
 * to `layers_slope`.
 */
static void reverse_layers(const Work *w, int step, int first, int end, float *change_slope) {
  const Net *net = w->net;
  const Rollout *of = w->of;
  const int inputs = net->hidden, hidden = net->wide_hidden, channels = net->wide_channels;
  const int rows = (end - first) * CELLS, size = rows * hidden, layers = net->blocks * net->depth;
  const ptrdiff_t layer = (ptrdiff_t)(inputs + 1) * hidden, set = layers_of(w, first);
  const float *scale = w->layers + set;
  const float *turned = w->turned_layers + set + layers * (ptrdiff_t)inputs * hidden;
  float *slope = w->layers_slope + set + 2 * hidden + layers * layer;
  const float *x = record_of(w, step, first) + (ptrdiff_t)layers * size;
  const float *unscaled = x + size;
  float *x_slope = w->x_slope, *y_slope = w->y_slope;
  multiply(inputs, rows, channels, x, 1, hidden, change_slope, slope, channels, slope);
  add_rows(change_slope, rows, channels, slope + (ptrdiff_t)inputs * channels);
  multiply(rows, net->channels, hidden, change_slope, channels, 1, turned, 0, 0, x_slope);
  for (int block = net->blocks - 1; block >= 0; block--) {
    const float *start = x - (ptrdiff_t)net->depth * size;
    if (net->activates_last) {
      for (int i = 0; i < size; i += LANES)
        store(y_slope + i, through(load(x_slope + i), load(x + i) - load(start + i), net->elu));
    } else memcpy(y_slope, x_slope, size * sizeof(float));
    for (int i = net->depth - 1; i >= 0; i--) {
      x -= size, slope -= layer, turned -= (ptrdiff_t)inputs * hidden;
      multiply(inputs, rows, hidden, x, 1, hidden, y_slope, slope, hidden, slope);
      add_rows(y_slope, rows, hidden, slope + (ptrdiff_t)inputs * hidden);
      if (i == 0) {
        multiply(rows, inputs, hidden, y_slope, hidden, 1, turned, x_slope, hidden, x_slope);
        continue;
      }
      multiply(rows, inputs, hidden, y_slope, hidden, 1, turned, 0, 0, w->inner_slope);
      for (int k = 0; k < size; k += LANES) store(y_slope + k, through(load(w->inner_slope + k), load(x + k), net->elu));
    }
  }
  for (int i = 0; i < size && net->activates; i += LANES)
    store(x_slope + i, through(load(x_slope + i), load(x + i), net->elu));
  slope = w->layers_slope + set;
  add_rows(x_slope, rows, hidden, slope + hidden);
  for (int h = 0; h < hidden && of->scales; h += LANES) {
    vec sum = all(0);
    for (int r = 0; r < rows; r++)
      sum = fma(load(x_slope + r * hidden + h), load(unscaled + r * hidden + h), sum);
    store(slope + h, load(slope + h) + sum);
  }
  for (int r = 0; r < rows; r++) {
    for (int h = 0; h < hidden; h += LANES) {
      float *sum = w->seen_slope + r * hidden + h;
      store(sum, fma(load(x_slope + r * hidden + h), load(scale + h), load(sum)));
    }
  }
}

/*
 * Writes to `slope` the gradient with respect to a cell's states before the given step or, if
 * `step` is the number of steps, with respect to the final states.
 */
static void get_slope(const Work *w, int step, const Place *at, float *slope) {
  const Rollout *of = w->of;
  const int channels = w->net->channels;
  const ptrdiff_t cell = at->of_batch * channels, patch = at->of_batch / (w->net->side * w->net->side);
  const float *from = step == of->steps ? of->change + cell : w->slopes[step % 2] + patch * w->image + at->image;
  const float open = step < of->steps && of->open ? of->open[at->of_batch] : 1;
  for (int c = 0; c < channels; c++) slope[c] = open * from[c];
  if (step == of->steps - 1 && of->change_last) for (int c = 0; c < channels; c++) slope[c] += of->change_last[cell + c];
}

/*
 * Differentiates the update and the layers for one run (a few neighbouring tiles). Writes the
 * gradient with respect to the result of perception to `seen_slope`.
 */
static void reverse_run(const Work *w, int step, int first, int end) {
  const Net *net = w->net;
  const Rollout *of = w->of;
  const int channels = net->wide_channels, hidden = net->wide_hidden, patch = first / w->per_patch;
  const int rows = (end - first) * CELLS;
  const float *image = image_of(w, step + 1, patch);
  float *before = w->slopes[step % 2] + patch * w->image;
  const vec kept = all(net->kept), most = all(net->limit), fewest = all(-net->limit);
  memset(w->slope, 0, rows * channels * sizeof(float));
  memset(w->seen_slope, 0, rows * hidden * sizeof(float));
  EACH_CELL(at) if (!is_closed(w, step, at.of_batch)) get_slope(w, step + 1, &at, w->slope + at.row * channels);
  memset(w->change, 0, rows * channels * sizeof(float));
  EACH_CELL(at) {
    const int updated = is_updated(w, step, at.of_batch);
    for (int c = 0; c < channels; c += LANES) {
      const vec result = load(image + at.image + c), slope = load(w->slope + at.row * channels + c);
      const vec within = (vec)((bits)slope & (bits)(result < most) & (bits)(result > fewest));
      float *sum = before + at.image + c;
      store(sum, fma(updated ? kept : all(1), within, load(sum)));
      if (updated) store(w->change + at.row * channels + c, within);
    }
  }
  reverse_layers(w, step, first, end, w->change);
}

void reverse_steps(const Net *net, const Rollout *of) {
  Work work, *w = &work;
  lay_out(net, of, w);
  const int channels = net->channels, wide = net->wide_channels, inputs = net->hidden, hidden = net->wide_hidden;
  const ptrdiff_t of_point = (ptrdiff_t)channels * hidden, turned_point = (ptrdiff_t)inputs * wide;
  const ptrdiff_t layer = (ptrdiff_t)(inputs + 1) * hidden;
  for (int p = 0; p < POINTS; p++)
    transpose(w->points + p * of_point, channels, inputs, w->turned_points + p * turned_point);
  for (int s = 0; s < of->sets; s++) {
    const float *from = w->layers + s * w->layers_size + 2 * hidden;
    float *to = w->turned_layers + s * w->layers_size;
    for (int i = 0; i < net->blocks * net->depth; i++, from += layer, to += (ptrdiff_t)inputs * hidden)
      transpose(from, inputs, inputs, to);
    transpose(from, inputs, channels, to);
  }
  memset(w->points_slope, 0, POINTS * of_point * sizeof(float));
  memset(w->layers_slope, 0, w->layers_size * of->sets * sizeof(float));
  for (int step = of->steps - 1; step >= 0; step--) {
    float *slopes = w->slopes[step % 2];
    memset(slopes, 0, w->image * of->count * sizeof(float));
    for (int first = 0; first < w->tiles; first += GROUP) {
      const int end = first + GROUP < w->tiles ? first + GROUP : w->tiles;
      const ptrdiff_t products_apart = (ptrdiff_t)(end - first) * hidden + LINE;
      for (int t = first, next; t < end; t = next) {
        next = end_of_run(w, t, end);
        reverse_run(w, step, t, next);
        for (int i = t; i < next; i++)
          spread_tile(w->seen_slope + (i - t) * CELLS * hidden, hidden, w->products + (i - first) * hidden, products_apart);
      }
      const ptrdiff_t apart = transform_group(w, step, first, end);
      for (int p = 0; p < POINTS; p++) {
        float *windows = w->windows + p * apart, *sum = w->points_slope + p * of_point;
        const float *products = w->products + p * products_apart;
        if (of->total_kernel) multiply(channels, end - first, hidden, windows, 1, wide, products, sum, hidden, sum);
        multiply(end - first, inputs, wide, products, hidden, 1, w->turned_points + p * turned_point, 0, 0, windows);
      }
      const ptrdiff_t row = (ptrdiff_t)w->wide * wide;
      for (int t = first; t < end; t++) {
        float *image = slopes + t / w->per_patch * w->image + t % w->per_patch / w->along * TILE * row;
        gather_window(w->windows + (t - first) * wide, apart, wide, image + t % w->along * TILE * wide, row);
      }
    }
  }
  for (int patch = 0; patch < of->count; patch++) {
    const int first = patch * w->per_patch, end = first + w->per_patch;
    EACH_CELL(at) get_slope(w, 0, &at, of->before + at.of_batch * channels);
  }
  if (of->total_kernel) transform_kernel(net, of->total_kernel, w->points_slope, 1);
  for (int s = 0; s < of->sets; s++)
    pad_layers(net, of->total_layers + s * row_size(net), w->layers_slope + s * w->layers_size, 1);
}
