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

/* Some steps of a batch of patches for training. Nothing but `memory` is padded. See training.c. */
typedef struct {
  /* Numbers of patches, steps, and rows in `layers`: 1 or count. */
  int count, steps, sets;
  /* Whether the layers scale perception, and whether `memory` keeps what `reverse_steps` needs. */
  int scales, records;
  /* [rollout_size], begins at a cache line. */
  float *memory;
  union {
    struct {
      /* Perception's kernel [3, 3, channels, hidden], layers [sets, row_size], states [count, side, side, channels]. */
      const float *kernel, *layers, *states;
      /* The states after the last step and before it. */
      float *after, *last;
      /*
       * Unless 0: which cells are updated in each step [steps, count, side, side]; which ground is not closed, and how
       * many steps cells stay closed [count, side, side].
       */
      const float *masks, *open, *closed;
      /* The gradients of `after` and, unless 0, of `last`. */
      const float *change, *change_last;
      /* The gradient of `states`, and sums to which those of the kernel, unless 0, and of the layers are added. */
      float *before, *total_kernel, *total_layers;
    };
    void *arrays[13];
  };
} Rollout;

/* Size of a patch's layers as training passes them: as in layers_size, but not padded. */
ptrdiff_t row_size(const Net *net);
ptrdiff_t rollout_size(const Net *net, const Rollout *of);

/* Steps each patch. */
void forward_steps(const Net *net, const Rollout *of);

/* Differentiates the steps of the preceding forward_steps with the same memory, which must have kept its records. */
void reverse_steps(const Net *net, const Rollout *of);

#endif
