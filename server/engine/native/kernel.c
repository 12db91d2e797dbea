/*
 * Steps patches of a cell rule. Computes all layers for a few tiles before going on to the next
 * tiles, so that the results of one layer are still in the cache when the next layer reads them.
 *
 * Perception is a 3x3 convolution, computed by Winograd's minimal filtering F(4x4, 3x3) with the
 * points 0, 1, -1, 2, -2 and infinity (Lavin and Gray 2016, arXiv 1509.09308). Winograd's method
 * needs a quarter of the multiplications of a direct convolution.
 *
 * Sums are computed in a fixed order. Therefore, a patch's result is the same in every batch, and
 * on every processor that has fused operations.
 */
#include "blocks.h"

const int is_fused = FUSED;

ptrdiff_t layers_size(const Net *net) {
  const ptrdiff_t inputs = net->hidden, hidden = net->wide_hidden;
  return 2 * hidden + net->blocks * net->depth * (inputs + 1) * hidden + (inputs + 1) * net->wide_channels;
}

/*
 * Computes the new states of a tile: kept * old state + change, clamped to the limit. Cells that
 * the mask excludes keep their states. If `weights` is a null pointer, writes the new states to
 * `after` [side, side, channels]. For a chimera, `weights` [side, side] is the share of one genome
 * in each cell: adds share * new state to `mixed` [16, channels].
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

typedef struct {
  const float *perception;
  /*
   * The layers of the patch, [layers_size]; for a chimera, the layers of each genome, [genomes,
   * layers_size].
   */
  const float *layers;
  /*
   * Parts of the working memory. `image`: a copy of the patch with a border of zeros. `windows` and
   * `products`: values of several tiles at each of the 36 Winograd points, [tiles, channels] and
   * [tiles, hidden]. For one tile: `seen` holds the results of all layers, `change` the changes of
   * the states, and `mixed` the new states of a chimera.
   */
  float *image, *windows, *products, *seen, *change, *mixed;
} Memory;

/* Prefetches numbers[from] to numbers[to - 1] into the cache. */
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

/*
 * Whether a genome contributes to any cell of a tile. `weights` [side, side] is the genome's share
 * in each cell.
 */
static int has_weight(const Net *net, int top, int left, const float *weights) {
  for (int y = top; y < top + TILE && y < net->side; y++) {
    for (int x = left; x < left + TILE && x < net->side; x++) {
      if (weights[(ptrdiff_t)y * net->side + x] != 0) return 1;
    }
  }
  return 0;
}

/*
 * Computes the layers after perception, and then the new states, for one tile. `products` is the
 * result of perception before the inverse Winograd transform. For `weights`, see update_tile.
 */
static void step_tile(const Net *net, const Memory *at, int top, int left, const float *products, ptrdiff_t apart,
                      const float *layers, const float *mask, const float *weights, float *after) {
  transform_back(products, apart, net->wide_hidden, layers, layers + net->wide_hidden, at->seen);
  think(net, layers + 2 * net->wide_hidden, CELLS, at->seen, at->change);
  update_tile(net, top, left, at->image, at->change, mask, weights, at->mixed, after);
}

/*
 * Steps a tile of a chimera once with each genome that contributes to the tile. Writes the sum of
 * the new states, weighted by the genomes' shares in each cell, to the batch's `after`.
 */
static void step_mixed_tile(const Net *net, const Memory *at, const Batch *batch, int top, int left,
                            const float *products, ptrdiff_t apart) {
  const int side = net->side, channels = net->wide_channels;
  const ptrdiff_t layers = layers_size(net);
  /* Start the sum with -0, because 0 would change a state of -0 to 0. */
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
     * Leave a gap of one cache line between the numbers of neighbouring Winograd points. Without
     * the gap, they would compete for the same places in the cache and evict one another.
     */
    const ptrdiff_t apart = (ptrdiff_t)tiles * channels + LINE, products_apart = (ptrdiff_t)tiles * hidden + LINE;
    /* Copy the rows that this group of tiles needs and that are not copied yet. */
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
      multiply(tiles, net->channels, hidden, at->windows + p * apart, channels, 1,
               at->perception + (ptrdiff_t)p * net->channels * hidden, 0, 0, at->products + p * products_apart);
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

/* Divides the working memory into the parts of `at`. @returns the end of the last part */
static float *lay_out(const Net *net, float *memory, Memory *at) {
  float *end = memory;
  at->image = end, end += image_size(net);
  at->windows = end, end += POINTS * (MOST_TILES * net->wide_channels + LINE);
  at->products = end, end += POINTS * (MOST_TILES * net->wide_hidden + LINE);
  at->seen = end, end += activations(net) * CELLS * net->wide_hidden;
  at->change = end, end += CELLS * net->wide_channels;
  at->mixed = end, end += CELLS * net->wide_channels;
  return end;
}

ptrdiff_t memory_size(const Net *net) {
  const ptrdiff_t of_channels = POINTS * MOST_TILES + 2 * CELLS, of_hidden = POINTS * MOST_TILES + activations(net) * CELLS;
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
    /*
     * Copy the patch's layers to an aligned place, so that no vector is split between two cache
     * lines.
     */
    if (batch->own) memcpy(own, batch->own + i * layers, layers * sizeof(float));
    step_patch(net, &at, batch, i);
  }
}
