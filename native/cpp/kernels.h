// The inner loops, as a table of functions per instruction set. Nothing here allocates, checks or starts threads.
//
// `kernels.cpp` is compiled once per instruction set and fills one table; `driver.cpp` cuts a call into the pieces that
// these functions work on. All sizes are counted in floats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hornbill {

using Half = uint16_t;  // the bits of a bfloat16

constexpr int kMaxVectors = 4;  // widest tile, in vectors of output channels
constexpr int kMaxRows = 14;    // tallest tile: output pixels (forward), or kernel cells (weight gradient)

// What is done to a finished sum before it is stored.
enum Activation : int { kNone = 0, kRelu = 1 };

// A tile of the forward product: `c[m][:] (+)= sum_i sum_j sum_k a[m * a_px + i * s1 + j * s2 + k] * b[(i, j, k)][:]`.
struct Forward {
  const float* a;
  ptrdiff_t a_px, s1, s2;
  ptrdiff_t n1, n2, len;
  const float* b;     // n1 * n2 * len rows of a tile's width
  float* c;
  ptrdiff_t c_px;
  int columns;        // of the tile's width, how many exist in c
  bool add;           // to what is in c
  const float* bias;  // a whole tile's width, or null; added at the end, like the activation
  int activation;
};

// A tile of the weight gradient: `c[m][:] (+)= sum_y sum_x a[y * a_row + x * a_px + m] * b[y * b_row + x * b_px][:]`.
struct WeightGrad {
  const float* a;
  ptrdiff_t a_px, a_row;
  const float* b;
  ptrdiff_t b_px, b_row;
  ptrdiff_t rows, width;
  float* c[kMaxRows];
  int columns;
  bool add;
};

// A run of output pixels of a depthwise convolution: all channels, each with its own weights.
struct Depthwise {
  const float* const* taps;     // per kernel cell, the input under the first pixel
  const float* const* weights;  // per kernel cell, (channels)
  ptrdiff_t count, a_px;        // of kernel cells; between pixels
  float* c;
  ptrdiff_t c_px, pixels, channels;
};

// Its gradient by some kernel cells: c[i] += sum over `rows` x `width` pixels of taps[i] * b, for all channels.
struct DepthwiseGrad {
  const float* const* taps;  // per kernel cell, the input under the first pixel
  float* const* c;           // per kernel cell, (channels)
  ptrdiff_t count, a_px, a_row;
  const float* b;
  ptrdiff_t b_row, rows, width, channels;
};

// Sums over the columns of some rows of matrices with `channels` columns; see moments.h.
struct Columns {
  const float *a, *x, *mean;
  float *sum, *product;
  ptrdiff_t rows, channels;
};

// One row of windows of a max-pool, or one window.
template <typename T>
struct PoolOf {
  const T* const* taps;    // per cell of the window, the input under the first window
  const uint8_t* numbers;      // of those cells within the window
  ptrdiff_t count, a_px;       // of cells; between windows
  T* c;
  uint8_t* place;              // or null
  ptrdiff_t windows, channels;
};

// The gradient of the same: adds `gradient` to that cell of each window that `place` names; if `fresh`, stores it there
// and zero in the window's other cells.
template <typename T>
struct PoolGradOf {
  T* const* taps;
  const uint8_t* numbers;
  ptrdiff_t count, a_px;
  const T* gradient;
  const uint8_t* place;
  ptrdiff_t windows, channels;
  bool fresh;
};

// One 6 x 6 patch of the input becomes 36 numbers per channel: to[cell * to_cell + k]; see winograd.h.
struct WinogradInput {
  const float* from;
  ptrdiff_t px, row;
  float* to;
  ptrdiff_t to_cell, channels;
};

// A 3 x 3 kernel becomes 36 numbers for each of `count` pairs of channels; cells lie `from_cell` apart.
struct WinogradKernel {
  const float* from;
  ptrdiff_t from_cell;
  float* to;
  ptrdiff_t to_cell, count;  // a whole number of vectors
};

// 36 sums become `rows` x `columns` of 4 x 4 outputs, for one tile's width of channels, of which `channels` exist.
struct WinogradOutput {
  const float* from;
  ptrdiff_t from_cell;
  float* out;
  ptrdiff_t px, row;
  int rows, columns, vectors, channels;
  const float* bias;  // a whole tile's width, or null
  int activation;
};

// `rows` x `columns` of a 4 x 4 tile of the output's gradient become 36 numbers for each of a tile's width of channels, of
// which `channels` exist.
struct WinogradGradient {
  const float* from;
  ptrdiff_t px, row;
  int rows, columns, vectors, channels;
  float* to;
  ptrdiff_t to_cell;
};

// 36 sums become the gradient of a 3 x 3 kernel, for the same channels of one input channel.
struct WinogradWeights {
  const float* from;
  ptrdiff_t from_cell;
  float* to;
  ptrdiff_t kw, kh;
  int vectors, channels;
};

// The gradient by sums whose relu is `outputs`, for some pixels of all channels; it is added up in `sums`, per channel.
struct ReluGrad {
  const Half *gradient, *outputs;
  Half* result;
  float* sums;
  ptrdiff_t pixels, channels;
};

// A step of Adam on `count` numbers; see optimizer.h.
struct Adam {
  const float *p, *g, *m, *v;
  float *new_p, *new_m, *new_v;
  ptrdiff_t count;
  float rate, keep_1, keep_2, epsilon;
};

// ---- Products in bfloat16 by tiles of 32 x 32 sums in float32. Both sides are read 32 numbers at a time, all of which
// must be there: what is missing is zero.

// `c[m][n] = sum over runs r and numbers k of a[m * a_px + runs[r] + k] * b[r][k][n]`.
struct TileForward {
  const Half* a;
  ptrdiff_t a_px;
  const ptrdiff_t* runs;     // from a
  ptrdiff_t count, steps;    // of runs; of 32 numbers in each
  const Half* b;             // per run, step and vector of 16 filters: (16 pairs, 16 filters, 2)
  float* c;                  // (pixels, 32)
  int pixels, vectors;       // at most 32 and 2
};

// `c[m][n] (+)= sum over pixels q of a[m * a_row + q] * b[q][n]`.
struct TileWeightGrad {
  const Half* a;
  ptrdiff_t a_row;
  const Half* b;             // per vector, `b_vector` numbers apart: (pairs of pixels, 16 filters, 2)
  ptrdiff_t b_vector, steps; // of 32 pixels
  float* c;
  ptrdiff_t c_row;
  int channels, vectors;     // at most 32 and 2
  bool add;
};

// Sums of some pixels, (pixels, 32), become outputs: + bias, activation, rounded to the nearest.
struct TileFinish {
  const float* sums;
  Half* out;
  ptrdiff_t px, pixels;
  int columns;
  const float* bias;  // a whole tile's width, or null
  int activation;
};

struct TileKernels {
  void (*forward)(const TileForward&);
  void (*weight_grad)(const TileWeightGrad&);
  void (*finish)(const TileFinish&);
  void (*release)();  // when a thread has done its task
  // Packs rows of up to 16 numbers in pairs of rows: (pairs, 16, 2), filled up with zeros.
  void (*pairs)(const Half* from, ptrdiff_t from_row, Half* to, ptrdiff_t rows, ptrdiff_t columns);
  // The same with the axes swapped, from up to 16 rows of up to 32 numbers: always (16 pairs, 16, 2).
  void (*swap_pairs)(const Half* from, ptrdiff_t from_row, Half* to, ptrdiff_t rows, ptrdiff_t columns);
  // Swaps the axes: to[c * to_row + r] = from[r * from_row + c].
  void (*swap)(const Half* from, ptrdiff_t from_row, Half* to, ptrdiff_t to_row, ptrdiff_t rows, ptrdiff_t columns);
};

// A row of attention: scores become shares, and gradients `by` shares those by what is times `by_scale` the score;
// `scale` and `sum` are what `softmax` took and returned.
struct SoftmaxGrad {
  float *scores, *by;
  ptrdiff_t count;
  float scale, sum, by_scale;
};

// A time step of an LSTM on one row; see recurrent.h. Gates are replaced by their activations.
struct Lstm {
  float* gates;
  const float* c_before;
  float *c, *h;
  ptrdiff_t units;
};

// Its gradient; `by_c` is that by the new c before and by the old one after.
struct LstmGrad {
  const float *gates, *c_before, *c, *by_output, *by_h;
  float *by_c, *by_gates;
  ptrdiff_t units;
};

// A time step of a GRU on one row; see recurrent.h. `held` comes with h_before @ recurrent in its first three parts.
struct Gru {
  const float *x, *bias, *h_before;
  float *held, *h;
  ptrdiff_t units;
};

// Its gradient; `by_h` is that by the new h before, and by the old one, but for what comes through `by_y`, after.
struct GruGrad {
  const float *held, *h_before, *by_output;
  float *by_h, *by_x, *by_y;
  ptrdiff_t units;
};

struct Kernels {
  const char* name;
  const TileKernels* tiles;            // or null
  int width;                     // floats per vector
  int rows[kMaxVectors + 1];     // tallest forward tile for 1 to 4 vectors
  int cells[kMaxVectors + 1];    // tallest weight-gradient tile
  void (*forward[kMaxVectors + 1][kMaxRows + 1])(const Forward&);
  void (*weight_grad[kMaxVectors + 1][kMaxRows + 1])(const WeightGrad&);
  void (*depthwise)(const Depthwise&);
  void (*depthwise_grad)(const DepthwiseGrad&);
  void (*column_sums)(const Columns&);        // sum += x
  void (*column_deviations)(const Columns&);  // sum += x - mean, product += (x - mean)^2
  void (*column_products)(const Columns&);    // sum += a, product += a * (x - mean)
  void (*winograd_input)(const WinogradInput&);
  void (*winograd_kernel)(const WinogradKernel&);
  void (*winograd_output)(const WinogradOutput&);
  void (*winograd_gradient)(const WinogradGradient&);
  void (*winograd_weights)(const WinogradWeights&);
  void (*adam)(const Adam&);
  float (*softmax)(float* scores, ptrdiff_t count, float scale);
  void (*softmax_grad)(const SoftmaxGrad&);
  void (*lstm)(const Lstm&);
  void (*lstm_grad)(const LstmGrad&);
  void (*gru)(const Gru&);
  void (*gru_grad)(const GruGrad&);
  // From bfloat16 to float32, and back to the nearest.
  void (*widen)(const Half* from, float* to, ptrdiff_t count);
  void (*narrow)(const float* from, Half* to, ptrdiff_t count);
  void (*pool)(const PoolOf<float>&);
  void (*pool_grad)(const PoolGradOf<float>&);
  void (*half_pool)(const PoolOf<Half>&);
  void (*half_pool_grad)(const PoolGradOf<Half>&);
  void (*relu_grad)(const ReluGrad&);
  // Copies `rows` rows of `columns` floats and swaps the axes: to[c * to_row + r] = from[r * from_row + c].
  void (*transpose)(const float* from, ptrdiff_t from_row, float* to, ptrdiff_t to_row, ptrdiff_t rows,
                    ptrdiff_t columns);
};

// Tables by instruction set; null where it was not compiled in.
const TileKernels* amx_tiles();
const Kernels* avx512_kernels();
const Kernels* avx2_kernels();
const Kernels* baseline_kernels();

}  // namespace hornbill
