/* One step of torch.nn.GRU and of its readout, torch.nn.Linear.

   C99 and <math.h>, no other library, nothing allocated. The state is the
   caller's: UNITS numbers, zeros before the first frame.

   PyTorch's conventions: the rows of weights and biases are three blocks of
   UNITS rows, in the order r, z, n (reset, update, candidate). z near 1
   keeps the old state. The reset acts after the product with the recurrent
   weights, so that their bias lies inside it (linear_before_reset = 1 in
   ONNX).

   net.h and weights.h are written from a trained net. net.h says how many
   INPUTS, UNITS and CLASSES there are, what type a `real` is (all that is
   computed) and a `weight` (what is stored), and by what SCALE a row of
   stored weights is multiplied: 1, unless they are 8-bit integers. */

#include <math.h>

#include "net.h"
#include "weights.h"

enum { RESET = 0, UPDATE = UNITS, CANDIDATE = 2 * UNITS };

static real sigmoid(real a)
{
    return 1 / (1 + EXP(-a));
}

/* The sum of a row of stored weights times n numbers. */
static real product(const weight *row, const real *v, int n)
{
    real sum = 0;
    for (int k = 0; k < n; k++)
        sum += (real)row[k] * v[k];
    return sum;
}

/* What the input and what the old state add to a row, each with its bias. */
static real of_input(const real *x, int row)
{
    return SCALE(weight_ih, row) * product(weight_ih[row], x, INPUTS)
           + bias_ih[row];
}

static real of_state(const real *h, int row)
{
    return SCALE(weight_hh, row) * product(weight_hh[row], h, UNITS)
           + bias_hh[row];
}

/* From the state to the probability of every class. The largest is taken off
   before exp, so that nothing overflows. */
static void readout(const real *h, real *p)
{
    real largest = 0, total = 0;
    for (int k = 0; k < CLASSES; k++) {
        p[k] = SCALE(readout_weight, k) * product(readout_weight[k], h, UNITS)
               + readout_bias[k];
        if (k == 0 || p[k] > largest)
            largest = p[k];
    }
    for (int k = 0; k < CLASSES; k++) {
        p[k] = EXP(p[k] - largest);
        total += p[k];
    }
    for (int k = 0; k < CLASSES; k++)
        p[k] /= total;
}

/* One frame x in, the probabilities p out; h is the state, old and then new. */
void net_step(const real x[INPUTS], real h[STATE], real p[CLASSES])
{
    real next[UNITS]; /* every unit sees the whole old state */
    for (int k = 0; k < UNITS; k++) {
        real r = sigmoid(of_input(x, RESET + k) + of_state(h, RESET + k));
        real z = sigmoid(of_input(x, UPDATE + k) + of_state(h, UPDATE + k));
        real n = TANH(of_input(x, CANDIDATE + k) + r * of_state(h, CANDIDATE + k));
        next[k] = (1 - z) * n + z * h[k];
    }
    for (int k = 0; k < UNITS; k++)
        h[k] = next[k];
    readout(h, p);
}
