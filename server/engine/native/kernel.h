/*
 * Steps batches of patches (kernel.c) and differentiates steps (training.c). All sizes in this file
 * are numbers of float32 values.
 */
#ifndef KERNEL_H
#define KERNEL_H
#include <stddef.h>

/* A cell rule and the side of its patches, in cells. `elu` is 1 for ELU, 0 for ReLU. */
typedef struct {
  int side, channels, hidden, elu;
  /*
   * The net's trunk (see vnca/architecture.ts) has `blocks` blocks of `depth` layers. In a block,
   * an activation function follows each layer; it follows the block's last layer only if
   * `activates_last` is set. `activates`: whether an activation function follows perception.
   */
  int activates, blocks, depth, activates_last;
  /* Numbers of channels and hidden units, rounded up to whole vectors. */
  int wide_channels, wide_hidden;
  /*
   * `kept`: the share of its state that a cell keeps in a step, 1 - leak. `limit`: states are
   * clamped to -limit...limit; infinity means no clamping.
   */
  float kept, limit;
} Net;

/* Maximum number of genomes of a chimera; equals MAX_GENOMES in vnca/chimera.ts. */
enum { MOST_GENOMES = 4 };

/*
 * A batch of patches with the same net. `states` and `after` are [count, side, side, channels].
 * `mask` [count, side, side] is 0 for cells that are not updated. If it is a null pointer, all
 * cells are updated.
 */
typedef struct {
  ptrdiff_t count;
  /*
   * `perception`: the kernel of perception, transformed to the 36 Winograd points, [36, channels,
   * wide_hidden]. `layers` [layers_size]: the layers that all patches share, used if `own` is a
   * null pointer. `own` [count, layers_size]: the layers of each patch. If the batch is a single
   * chimera, `own` [genomes, layers_size] holds the layers of each genome, and `weights` [genomes,
   * side, side] is set: the share of each genome in each cell.
   */
  const float *perception, *layers, *own;
  const float *states, *mask, *weights;
  int genomes;
  float *after;
} Batch;

/*
 * Whether the kernel fuses a multiplication and an addition into one operation. Results with and
 * without fused operations may differ in their last bits.
 */
extern const int is_fused;

/* Rounds a number of values up to whole vectors. */
int whole_vectors(int numbers);

ptrdiff_t perception_size(const Net *net);

/*
 * Returns the size of a patch's layers: the scales and the shifts of perception, [wide_hidden]
 * each, then the weights and shifts of each later layer.
 */
ptrdiff_t layers_size(const Net *net);

/* Returns the size of the working memory that a step needs. */
ptrdiff_t memory_size(const Net *net);

void step_batch(const Net *net, const Batch *batch, float *memory);

/*
 * Several steps of a batch of patches, for training (training.c). In `memory`, rows are padded to
 * whole vectors; in all other arrays, they are not.
 */
typedef struct {
  /*
   * `count`: number of patches. `sets`: number of rows in `layers`, which is 1 if all patches share
   * the layers, otherwise `count`.
   */
  int count, steps, sets;
  /*
   * `scales`: whether the result of perception is multiplied by the scales in `layers`. `records`:
   * whether forward_steps keeps, in `memory`, the data that reverse_steps needs.
   */
  int scales, records;
  /* Working memory, [rollout_size], aligned to a cache line. */
  float *memory;
  union {
    struct {
      /*
       * The kernel of perception, [3, 3, channels, hidden]; the layers, [sets, row_size]; the
       * states before the first step, [count, side, side, channels].
       */
      const float *kernel, *layers, *states;
      /* Outputs: the states after the last step, and the states before the last step. */
      float *after, *last;
      /*
       * Each of these pointers can be null. `masks` [steps, count, side, side] is 0 for cells that
       * are not updated in a step. `open` [count, side, side] is 0 for cells that are set to zero
       * before each step, 1 for all others. `closed` [count, side, side] holds numbers n: the cell
       * is set to zero after each of the first n steps.
       */
      const float *masks, *open, *closed;
      /*
       * The gradients with respect to `after` and `last`. If `change_last` is a null pointer, this
       * gradient is zero.
       */
      const float *change, *change_last;
      /*
       * Outputs: `before` receives the gradient with respect to `states`. The gradient with respect
       * to the layers is added to `total_layers`. If `total_kernel` is not a null pointer, the
       * gradient with respect to the kernel is added to it.
       */
      float *before, *total_kernel, *total_layers;
    };
    void *arrays[13];
  };
} Rollout;

/* Returns the size of a patch's layers without padding, in the order that layers_size describes. */
ptrdiff_t row_size(const Net *net);
ptrdiff_t rollout_size(const Net *net, const Rollout *of);

/* Computes all steps of a rollout. */
void forward_steps(const Net *net, const Rollout *of);

/*
 * Differentiates the steps that the preceding call of forward_steps computed. That call must have
 * had the same `memory`, and `records` set.
 */
void reverse_steps(const Net *net, const Rollout *of);

#endif
