/* Keyed random numbers and inverse distribution functions: port of subsim.random. */
#include <math.h>
#include <stdint.h>

#define INLINE static inline

INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE double lower_of(double a, double b) { return a < b ? a : b; }
INLINE double higher_of(double a, double b) { return a > b ? a : b; }

/* philox.py */

INLINE uint64_t bits(uint64_t seed, uint64_t run, uint64_t purpose, uint64_t entity, uint64_t ordinal)
{
    const uint64_t mask = 0xFFFFFFFFu;
    uint64_t c0 = entity & mask, c1 = entity >> 32, c2 = ordinal & mask;
    uint64_t c3 = ((purpose & 255) << 24) | (run & 0xFFFFFF);
    uint64_t k0 = seed & mask, k1 = seed >> 32;
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = 0xD2511F53u * c0, p1 = 0xCD9E8D57u * c2;
        c0 = (p1 >> 32) ^ c1 ^ k0;
        c1 = p1 & mask;
        c2 = (p0 >> 32) ^ c3 ^ k1;
        c3 = p0 & mask;
        k0 = (k0 + 0x9E3779B9u) & mask;
        k1 = (k1 + 0xBB67AE85u) & mask;
    }
    return c0 | (c1 << 32);
}

INLINE double draw(const uint64_t *key, uint64_t purpose, uint64_t entity, uint64_t n)
{
    return ((double)(bits(key[0], key[1], purpose, entity, n) >> 12) + 0.5) * 0x1p-52;
}

/* entities.py */

INLINE uint64_t future_entity(uint64_t source, uint64_t n) { return (4ull << 61) | (source << 40) | n; }

INLINE uint64_t referral_entity(uint64_t referrer, uint64_t ordinal)
{
    return (5ull << 61) | (bits(0, 0, purposes_REFERRAL_IDENTITY, referrer, ordinal) & ((1ull << 61) - 1));
}

INLINE uint64_t person_entity(uint64_t team, uint64_t seat, uint64_t incumbent)
{
    return (6ull << 61) | (team << 48) | (seat << 24) | incumbent;
}

/* special.py */

#define HALF_LOG_TWO_PI 0.918938533204672741780329736406
#define TWO_PI 6.28318530717958647692528676656
#define PRECISION 1e-16
#define MOST_TERMS 20000
#define TINY 1e-300
#define EULER 0.577215664901532860606512090082

typedef struct { double lower, upper, weight; } Tails;

static double stirling_series(double z)
{
    double w = 1.0 / (z * z);
    double tail = 1.0 / 1188.0 - w * (691.0 / 360360.0 - w / 156.0);
    return (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w * tail)))) / z;
}

static double log_gamma(double x)
{
    double product = 1.0;
    while (x < 10.0) {
        product *= x;
        x += 1.0;
    }
    return (x - 0.5) * log(x) - x + HALF_LOG_TWO_PI + stirling_series(x) - log(product);
}

static double exponential_integral(double x)
{
    double total = 0.0, term = x;
    int k = 1;
    if (x > 40.0) {
        term = 1.0 / x;
        while (term > PRECISION * total) {
            total += term;
            term *= k / x;
            k += 1;
        }
        return total;
    }
    while (term > PRECISION * total) {
        total += term / k;
        k += 1;
        term *= x / k;
    }
    return exp(-x) * (EULER + log(x) + total);
}

static double stirling_error(double z)
{
    if (z >= 10.0) return stirling_series(z);
    return log_gamma(z) - (z - 0.5) * log(z) + z - HALF_LOG_TWO_PI;
}

static double deviance(double a, double m)
{
    double d = a - m;
    if (fabs(d) >= 0.1 * (a + m)) return a * log(a / m) - d;
    double v = d / (a + m), total = d * v, term = 2.0 * a * v;
    for (int j = 3; j < 60; j += 2) {
        term *= v * v;
        double before = total;
        total += term / j;
        if (total == before) break;
    }
    return total;
}

static Tails gamma_tails(double a, double x)
{
    double weight = sqrt(a / TWO_PI) * exp(-stirling_error(a) - deviance(a, x));
    if (x < a + 1.0) {
        double term = 1.0 / a, total = term;
        for (int n = 1; n < MOST_TERMS; n++) {
            term *= x / (a + n);
            total += term;
            if (term < total * PRECISION) break;
        }
        double lower = lower_of(weight * total, 1.0);
        return (Tails){lower, 1.0 - lower, weight};
    }
    double b = x + 1.0 - a, c = 1.0 / TINY, d = 1.0 / b, total = d;
    for (int n = 1; n < MOST_TERMS; n++) {
        double factor = -n * (n - a);
        b += 2.0;
        d = factor * d + b;
        d = 1.0 / (fabs(d) > TINY ? d : TINY);
        c = b + factor / c;
        c = fabs(c) > TINY ? c : TINY;
        total *= c * d;
        if (fabs(c * d - 1.0) < PRECISION) break;
    }
    double upper = lower_of(weight * total, 1.0);
    return (Tails){1.0 - upper, upper, weight};
}

static double beta_fraction(double a, double b, double x)
{
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) > TINY ? d : TINY);
    double total = d;
    for (int m = 1; m < MOST_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m));
        d = 1.0 + even * d;
        d = 1.0 / (fabs(d) > TINY ? d : TINY);
        c = 1.0 + even / c;
        c = fabs(c) > TINY ? c : TINY;
        total *= c * d;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0));
        d = 1.0 + odd * d;
        d = 1.0 / (fabs(d) > TINY ? d : TINY);
        c = 1.0 + odd / c;
        c = fabs(c) > TINY ? c : TINY;
        total *= c * d;
        if (fabs(c * d - 1.0) < PRECISION) break;
    }
    return total;
}

static Tails beta_tails(double a, double b, double x, double y)
{
    double n = a + b, log_norm = stirling_error(n) - stirling_error(a) - stirling_error(b);
    double weight = sqrt(a * b / (TWO_PI * n)) * exp(log_norm - deviance(a, n * x) - deviance(b, n * y));
    if (x * (n + 2.0) < a + 1.0) {
        double lower = lower_of(weight * beta_fraction(a, b, x) / a, 1.0);
        return (Tails){lower, 1.0 - lower, weight};
    }
    double upper = lower_of(weight * beta_fraction(b, a, y) / b, 1.0);
    return (Tails){1.0 - upper, upper, weight};
}

/* quantiles.py */

#define MOST_STEPS 30
#define LAST_STEP 1e-5
#define SMALLEST 1e-300
#define LARGEST 1e300

#define HORNER(r, a, b, c, d, e, f, g, h) \
    ((((((((a) * (r) + (b)) * (r) + (c)) * (r) + (d)) * (r) + (e)) * (r) + (f)) * (r) + (g)) * (r) + (h))

static double normal(double u)
{
    double q = u - 0.5, r, top, low;
    if (fabs(q) <= 0.425) {
        r = 0.180625 - q * q;
        top = HORNER(r, 2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
                     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0);
        low = HORNER(r, 5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
                     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0);
        return q * top / low;
    }
    r = sqrt(-log(q < 0.0 ? u : 1.0 - u));
    if (r <= 5.0) {
        r -= 1.6;
        top = HORNER(r, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                     1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
                     4.63033784615654529590e0, 1.42343711074968357734e0);
        low = HORNER(r, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
                     1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
                     2.05319162663775882187e0, 1.0);
    } else {
        r -= 5.0;
        top = HORNER(r, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
                     5.46378491116411436990e0, 6.65790464350110377720e0);
        low = HORNER(r, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
                     7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
                     5.99832206555887937690e-1, 1.0);
    }
    return q < 0.0 ? -top / low : top / low;
}

INLINE double exponential(double u) { return -log(1.0 - u); }
INLINE double lognormal(double u, double median, double sd) { return median * exp(sd * normal(u)); }
INLINE double weibull(double u, double shape, double scale) { return scale * exp(log(exponential(u)) / shape); }

static double halley_step(double tail, double target, double weight, double slope, double sign)
{
    double rate = sign * weight / tail, newton = log(tail / target) / rate, bend = 0.5 * newton * (slope - rate);
    return -newton / (1.0 - higher_of(-0.8, lower_of(bend, 0.8)));
}

static double gamma_start(double u, double shape)
{
    if (shape > 1.0) {
        double root = 1.0 - 1.0 / (9.0 * shape) + normal(u) / (3.0 * sqrt(shape));
        if (root > 0.2) return shape * root * root * root;
        return exp((log(u) + log_gamma(shape + 1.0)) / shape);
    }
    double split = 1.0 - shape * (0.253 + 0.12 * shape);
    if (u < split) return exp(log(u / split) / shape);
    return 1.0 - log1p(-(u - split) / (1.0 - split));
}

static double gamma_quantile(double u, double shape)
{
    double x = higher_of(gamma_start(u, shape), SMALLEST), step;
    for (int i = 0; i < MOST_STEPS; i++) {
        Tails tails = gamma_tails(shape, x);
        if (u <= 0.5)
            step = halley_step(higher_of(tails.lower, SMALLEST), u, tails.weight, shape - x, 1.0);
        else
            step = halley_step(higher_of(tails.upper, SMALLEST), 1.0 - u, tails.weight, shape - x, -1.0);
        x = higher_of(x * exp(higher_of(-5.0, lower_of(step, 5.0))), SMALLEST);
        if (fabs(step) * (1.0 + sqrt(shape)) < LAST_STEP) break;
    }
    return x;
}

static double beta_start(double u, double a, double b)
{
    if (a >= 1.0 && b >= 1.0) {
        double z = -normal(u), inverse_a = 1.0 / (2.0 * a - 1.0), inverse_b = 1.0 / (2.0 * b - 1.0);
        double h = 2.0 / (inverse_a + inverse_b), c = (z * z - 3.0) / 6.0;
        double w = z * sqrt(higher_of(h + c, 0.0)) / h - (inverse_b - inverse_a) * (c + 5.0 / 6.0 - 2.0 / (3.0 * h));
        return a / b * exp(higher_of(-300.0, lower_of(-2.0 * w, 300.0)));
    }
    double left = exp(a * log(a / (a + b))) / a, right = exp(b * log(b / (a + b))) / b;
    if (u < left / (left + right)) {
        double x = exp(log(a * (left + right) * u) / a);
        return x / higher_of(1.0 - x, 1e-12);
    }
    double y = exp(log(b * (left + right) * (1.0 - u)) / b);
    return (1.0 - y) / higher_of(y, SMALLEST);
}

static double beta_quantile(double u, double a, double b)
{
    double odds = higher_of(SMALLEST, lower_of(beta_start(u, a, b), LARGEST)), step;
    for (int i = 0; i < MOST_STEPS; i++) {
        double x = odds / (1.0 + odds), y = 1.0 / (1.0 + odds);
        Tails tails = beta_tails(a, b, x, y);
        if (u <= 0.5)
            step = halley_step(higher_of(tails.lower, SMALLEST), u, tails.weight, a * y - b * x, 1.0);
        else
            step = halley_step(higher_of(tails.upper, SMALLEST), 1.0 - u, tails.weight, a * y - b * x, -1.0);
        odds = higher_of(SMALLEST, lower_of(odds * exp(higher_of(-5.0, lower_of(step, 5.0))), LARGEST));
        if (fabs(step) * (1.0 + sqrt(lower_of(a, b))) < LAST_STEP) break;
    }
    return odds / (1.0 + odds);
}
