/* A stream, frame by frame, through net_step(): what a desktop calls to test and to time it. On a device
   this loop is the one that waits for the microphone. */

#include "net.h"

void net_stream(const real *xs, int steps, real *state, real *states, real *ps)
{
    for (int t = 0; t < steps; t++) {
        net_step(xs + t * INPUTS, state, ps + t * CLASSES);
        for (int k = 0; k < STATE; k++)
            states[t * STATE + k] = state[k];
    }
}
