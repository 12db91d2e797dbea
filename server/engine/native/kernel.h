/*
 * Functions that step batches of patches (kernel.c) and differentiate steps (training.c). All sizes are numbers of
 * float32 values.
 */
#ifndef KERNEL_H
#define KERNEL_H
#include <stddef.h>

/* A cell rule and the side of its patches. */
typedef struct {
  int side, channels, hidden, elu;
  /*
   * The trunk of the net, as in vnca/architecture.ts. If `activates` is set, the result of perception is activated
   * before the first block. A block has `depth` layers, all of which are activated, except the last one if
   * `activates_last` is not set.
   */
  int activates, blocks, depth, activates_last;
  /* Numbers of channels and hidden units, rounded up to whole vectors. */
  int wide_channels, wide_hidden;
  /* `kept` is 1 - leak. `limit` is the limit to which states are clamped; it may be infinite. */
  float kept, limit;
} Net;

/* Maximum number of genomes of a chimera. Equals MAX_GENOMES in vnca/chimera.ts. */
enum { MOST_GENOMES = 4 };

/*
 * A batch of patches with the same net. `states` and `after` are [count, side, side, channels]. `mask` is [count, side,
 * side], or 0 if all cells are updated.
 */
typedef struct {
  ptrdiff_t count;
  /*
   * `perception` is the kernel of perception, transformed to the Winograd points, [36, channels, wide_hidden]. If `own`
   * is 0, all patches share `layers` [layers_size]. Otherwise, `own` [count, layers_size] holds the layers of each
   * patch. If `weights` [genomes, side, side] is not 0, the batch is one chimera, and `own` [genomes, layers_size]
   * holds the layers of each genome.
   */
  const float *perception, *layers, *own;
  const float *states, *mask, *weights;
  int genomes;
  float *after;
} Batch;

/*
 * Whether multiplications are fused with additions. If they are not, results differ in their last
 * bits from those of processors that fuse them.
 */
extern const int is_fused;

/* Rounds a number of values up to whole vectors. */
int whole_vectors(int numbers);

ptrdiff_t perception_size(const Net *net);

/*
 * Returns the size of a patch's layers: the scales and shifts of perception, [wide_hidden] each, then the weights and
 * shifts of each later layer.
 */
ptrdiff_t layers_size(const Net *net);

/* Returns the size of the working memory that a step needs. */
ptrdiff_t memory_size(const Net *net);

void step_batch(const Net *net, const Batch *batch, float *memory);

/* Some steps of a batch of patches, for training (training.c). All arrays except `memory` are without padding. */
typedef struct {
  /*
   * Number of patches, number of steps, and number of rows in `layers`: 1 if all patches share the layers, otherwise
   * count.
   */
  int count, steps, sets;
  /*
   * `scales`: whether the layers scale the result of perception. `records`: whether to keep the
   * data that reverse_steps needs in `memory`.
   */
  int scales, records;
  /* Working memory, [rollout_size], aligned to a cache line. */
  float *memory;
  union {
    struct {
      /*
       * The kernel of perception [3, 3, channels, hidden], the layers [sets, row_size], and the first states [count,
       * side, side, channels].
       */
      const float *kernel, *layers, *states;
      /* `after` receives the states after the last step, `last` the states before the last step. */
      float *after, *last;
      /*
       * Each of these arrays may be 0. `masks` [steps, count, side, side] says which cells are
       * updated in each step. `open` [count, side, side] is 0 for cells that are set to zero before
       * each step, otherwise 1. `closed` [count, side, side] is the number of steps, counted from
       * the first, for which a cell is closed. A closed cell is set to zero after each of these
       * steps.
       */
      const float *masks, *open, *closed;
      /*
       * `change` is the gradient of `after`. `change_last` is the gradient of `last`, or 0 (no
       * array) if that gradient is zero.
       */
      const float *change, *change_last;
      /*
       * `before` receives the gradient of `states`. The gradients of the kernel and of the layers are added to
       * `total_kernel`, unless it is 0, and to `total_layers`.
       */
      float *before, *total_kernel, *total_layers;
    };
    void *arrays[13];
  };
} Rollout;

/*
 * Returns the size of a patch's layers without padding. Training passes layers in this form, in the
 * order that layers_size describes.
 */
ptrdiff_t row_size(const Net *net);
ptrdiff_t rollout_size(const Net *net, const Rollout *of);

/* Takes all steps of a rollout. */
void forward_steps(const Net *net, const Rollout *of);

/*
 * Differentiates the steps that the preceding call of forward_steps took with the same memory and with `records` set.
 */
void reverse_steps(const Net *net, const Rollout *of);

#endif
