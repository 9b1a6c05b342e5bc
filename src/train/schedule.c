#include "train/schedule.h"

#include <math.h>

static double rgb_rate(double lr, double rate, long changes)
{
    for (; changes > 0 && lr > 1e-5; changes--)
        lr *= rate;
    return lr;
}

static double decay(double lr, double rate)
{
    return lr > 5e-5 ? lr * rate : lr;
}

/* When the rate has come down the original resets it to 1e-3 and then falls through two of its own
 * decays, so the reset lands at 1e-3 rate^2. */
static double flow_rate(double lr, double rate, long changes, bool raised)
{
    for (; changes > 0; changes--) {
        if (lr > 5e-5) {
            lr = decay(lr, rate);
        } else if (!raised) {
            lr = decay(decay(1e-3, rate), rate);
            raised = true;
        } else {
            break;
        }
    }
    return lr;
}

double schedule_rate(const struct schedule *schedule, long step)
{
    switch (schedule->kind) {
    case I3D_SCHEDULE_STEPS:
        if (schedule->stream == I3D_FLOW)
            return flow_rate(schedule->lr, schedule->rate, step / schedule->every,
                             schedule->no_raise);
        return rgb_rate(schedule->lr, schedule->rate, step / schedule->every);
    case I3D_SCHEDULE_COSINE:
        return schedule->lr * .5 *
               (1 + cos(3.141592653589793 * (double)step / (double)schedule->total));
    case I3D_SCHEDULE_CONSTANT:
        break;
    }
    return schedule->lr;
}
