/* One step of torch.nn.LSTM and of its readout, torch.nn.Linear.

   C99 and <math.h>, no other library, nothing allocated. The state is the
   caller's: 2 * UNITS numbers, first h and then the cell c, zeros before
   the first frame.

   PyTorch's conventions: the rows of weights and biases are four blocks of
   UNITS rows, in the order i, f, g, o (input gate, forget gate, candidate,
   output gate).

   net.h and weights.h are written from a trained net. net.h says how many
   INPUTS, UNITS and CLASSES there are, what type a `real` is (all that is
   computed) and a `weight` (what is stored), and by what SCALE a row of
   stored weights is multiplied: 1, unless they are 8-bit integers. */

#include <math.h>

#include "net.h"
#include "weights.h"

enum { INPUT = 0, FORGET = UNITS, CANDIDATE = 2 * UNITS, OUTPUT = 3 * UNITS };

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

/* One frame x in, the probabilities p out; state is old and then new. */
void net_step(const real x[INPUTS], real state[STATE], real p[CLASSES])
{
    real next[UNITS]; /* every unit sees the whole old h */
    real *h = state, *c = state + UNITS;
    for (int k = 0; k < UNITS; k++) {
        real i = sigmoid(of_input(x, INPUT + k) + of_state(h, INPUT + k));
        real f = sigmoid(of_input(x, FORGET + k) + of_state(h, FORGET + k));
        real g = TANH(of_input(x, CANDIDATE + k) + of_state(h, CANDIDATE + k));
        real o = sigmoid(of_input(x, OUTPUT + k) + of_state(h, OUTPUT + k));
        c[k] = f * c[k] + i * g;
        next[k] = o * TANH(c[k]);
    }
    for (int k = 0; k < UNITS; k++)
        h[k] = next[k];
    readout(h, p);
}
