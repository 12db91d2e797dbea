/*
 * Functions that step batches of patches (kernel.c) and that differentiate steps (training.c). All
 * sizes in this file are numbers of float32 values.
 */
#ifndef KERNEL_H
#define KERNEL_H
#include <stddef.h>

/* A cell rule and the side of its patches. */
typedef struct {
  int side, channels, hidden, elu;
  /*
   * The trunk of the net, as in vnca/architecture.ts. If `activates` is set, the activation
   * function is applied to the result of perception before the first block. There are `blocks`
   * blocks, each with `depth` layers. The activation function is applied to the result of each
   * layer; for the last layer of a block, only if `activates_last` is set.
   */
  int activates, blocks, depth, activates_last;
  /* Numbers of channels and hidden units, rounded up to whole vectors. */
  int wide_channels, wide_hidden;
  /* `kept` is 1 - leak. States are clamped to -limit...limit; `limit` may be infinite. */
  float kept, limit;
} Net;

/* Maximum number of genomes of a chimera. Equals MAX_GENOMES in vnca/chimera.ts. */
enum { MOST_GENOMES = 4 };

/*
 * A batch of patches with the same net. `states` and `after` are [count, side, side, channels].
 * `mask` [count, side, side] says which cells are updated (not 0) and which are not (0); if it is a
 * null pointer, all cells are updated.
 */
typedef struct {
  ptrdiff_t count;
  /*
   * `perception` is the kernel of perception, transformed to the Winograd points, [36, channels,
   * wide_hidden]. There are three cases. If `own` is a null pointer, all patches share `layers`
   * [layers_size]. If `own` is set and `weights` is a null pointer, `own` [count, layers_size]
   * holds the layers of each patch. If `weights` [genomes, side, side] is set, the batch is a
   * single chimera, and `own` [genomes, layers_size] holds the layers of each of its genomes.
   */
  const float *perception, *layers, *own;
  const float *states, *mask, *weights;
  int genomes;
  float *after;
} Batch;

/*
 * Whether the kernel computes multiply-add as one fused operation. If not, the last bits of its
 * results differ from those of processors with fused operations.
 */
extern const int is_fused;

/* Rounds a number of values up to whole vectors. */
int whole_vectors(int numbers);

ptrdiff_t perception_size(const Net *net);

/*
 * Returns the size of a patch's layers. The layers consist of the scales and the shifts of
 * perception, [wide_hidden] each, followed by the weights and shifts of each later layer.
 */
ptrdiff_t layers_size(const Net *net);

/* Returns the size of the working memory that a step needs. */
ptrdiff_t memory_size(const Net *net);

void step_batch(const Net *net, const Batch *batch, float *memory);

/*
 * Several steps of a batch of patches, for training (training.c). None of the arrays is padded,
 * except `memory`.
 */
typedef struct {
  /*
   * `count` is the number of patches, and `steps` the number of steps. `sets` is the number of rows
   * in `layers`: 1 if all patches share the layers, otherwise `count`.
   */
  int count, steps, sets;
  /*
   * `scales`: whether the layers multiply the result of perception by scales. `records`: whether
   * forward_steps is to keep, in `memory`, the data that reverse_steps needs.
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
      /*
       * Outputs: `after` receives the states after the last step, and `last` the states before the
       * last step.
       */
      float *after, *last;
      /*
       * Each of these pointers may be null. `masks` [steps, count, side, side] says which cells are
       * updated in each step (not 0) and which are not (0). `open` [count, side, side] is 0 for
       * cells that are set to zero before each step, otherwise 1. `closed` [count, side, side] is
       * the number of steps, from the first step on, in which a cell is closed: after each of these
       * steps, the cell is set to zero.
       */
      const float *masks, *open, *closed;
      /*
       * `change` is the gradient with respect to `after`. `change_last` is the gradient with
       * respect to `last`; a null pointer stands for a gradient of zero.
       */
      const float *change, *change_last;
      /*
       * Outputs: `before` receives the gradient with respect to `states`. The gradient with respect
       * to the layers is added to `total_layers`. The gradient with respect to the kernel is added
       * to `total_kernel`, unless that is a null pointer.
       */
      float *before, *total_kernel, *total_layers;
    };
    void *arrays[13];
  };
} Rollout;

/*
 * Returns the size of a patch's layers without padding. Training passes layers without padding;
 * their order is the same as for layers_size.
 */
ptrdiff_t row_size(const Net *net);
ptrdiff_t rollout_size(const Net *net, const Rollout *of);

/* Takes all steps of a rollout. */
void forward_steps(const Net *net, const Rollout *of);

/*
 * Differentiates the steps of the preceding call of forward_steps. That call must have used the
 * same memory, and `records` must have been set.
 */
void reverse_steps(const Net *net, const Rollout *of);

#endif
