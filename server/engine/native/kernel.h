/* Steps batches of patches; see kernel.c. All sizes are numbers of float32 values. */
#ifndef KERNEL_H
#define KERNEL_H
#include <stddef.h>

/* A cell rule and the side of its patches. */
typedef struct {
  int side, channels, hidden, elu;
  /*
   * The trunk, as in vnca/architecture.ts. If `activates` is set, perception is activated before the first block. A
   * block has `depth` layers. All but the last are activated; the last one is activated if `activates_last` is set.
   */
  int activates, blocks, depth, activates_last;
  /* Numbers of channels and hidden units, rounded up to whole vectors. */
  int wide_channels, wide_hidden;
  /* `kept` is 1 - leak. `limit` is the limit of states, which may be infinite. */
  float kept, limit;
} Net;

/* Maximum number of genomes of a chimera. */
enum { MOST_GENOMES = 4 };

/* Patches of one net. `states` and `after` are [count, side, side, channels]; `mask` is [count, side, side], or 0. */
typedef struct {
  ptrdiff_t count;
  /*
   * `perception` is [36, channels, wide_hidden]. If `own` [count, layers_size] is not 0, it holds the layers of each
   * patch; otherwise, all patches share `layers` [layers_size]. If `weights` [genomes, side, side] is not 0, there is
   * one patch, a chimera, and `own` [genomes, layers_size] holds the layers of each genome.
   */
  const float *perception, *layers, *own;
  const float *states, *mask, *weights;
  int genomes;
  float *after;
} Batch;

/* Whether multiplications are fused with additions. If not, results differ in their last bits. */
extern const int is_fused;

/* Rounds a number of values up to whole vectors. */
int whole_vectors(int numbers);

ptrdiff_t perception_size(const Net *net);

/*
 * Size of a patch's layers: perception's scales and shifts, [wide_hidden] each, then each layer's weights and shifts.
 */
ptrdiff_t layers_size(const Net *net);

/* Size of the working memory of a step. */
ptrdiff_t memory_size(const Net *net);

/* Steps each patch once. */
void step_batch(const Net *net, const Batch *batch, float *memory);

#endif
