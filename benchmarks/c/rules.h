/* The rules of the model: port of subsim.model.rules, by file. `p` holds parameters, `key` is (seed, run). */

typedef const double *Parameters;
typedef const uint64_t *Key;

/* clock.py */

INLINE int64_t minutes(double days)
{
    if (days >= (double)clock_NEVER / clock_DAY) return clock_NEVER;
    return (int64_t)(days * clock_DAY + 0.5);
}

INLINE int64_t days_before_year(int64_t year)
{
    int64_t y = year - 1;
    return 365 * y + y / 4 - y / 100 + y / 400;
}

INLINE int64_t days_in_month(int64_t year, int64_t month)
{
    if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

typedef struct { int64_t year, month, day; } Civil;

static Civil civil(int64_t ordinal)
{
    int64_t year = ordinal * 400 / 146097 + 1;
    while (days_before_year(year) >= ordinal) year -= 1;
    while (days_before_year(year + 1) < ordinal) year += 1;
    int64_t day = ordinal - days_before_year(year), month = 1;
    while (day > days_in_month(year, month)) {
        day -= days_in_month(year, month);
        month += 1;
    }
    return (Civil){year, month, day};
}

INLINE int64_t day_of_month(int64_t t, int64_t first_day) { return civil(first_day + t / clock_DAY).day; }

static int64_t add_months(int64_t t, int64_t months, int64_t anchor, int64_t first_day)
{
    Civil date = civil(first_day + t / clock_DAY);
    int64_t count = date.year * 12 + date.month - 1 + months, year = count / 12, month = count % 12 + 1;
    int64_t ordinal = days_before_year(year) + least(anchor, days_in_month(year, month));
    for (int64_t m = 1; m < month; m++) ordinal += days_in_month(year, m);
    return (ordinal - first_day) * clock_DAY + t % clock_DAY;
}

/* arrival.py */

INLINE int64_t arrival_gap(Key key, int64_t source, int64_t n, double envelope)
{
    double u = draw(key, purposes_ARRIVAL_GAP, future_entity(source, n), 0);
    return (int64_t)(exponential(u) / envelope * clock_MONTH + 0.5);
}

static double month_multiplier(Parameters p, Key key, int64_t source, int64_t month)
{
    double shape = p[at_arrival_dispersion];
    return gamma_quantile(draw(key, purposes_ARRIVAL_SEASON, source, month), shape) / shape;
}

INLINE int accepted(Parameters p, Key key, int64_t source, int64_t n, int64_t segment, double plan, double multiplier,
                    double envelope)
{
    double rate = plan * p[at_arrival_plan_scale + segment] * multiplier;
    return draw(key, purposes_ARRIVAL_ACCEPT, future_entity(source, n), 0) * envelope < rate;
}

INLINE double word_of_mouth(Parameters p, double misfits_lost, double logos)
{
    return exp(-p[at_arrival_word_of_mouth] * misfits_lost / higher_of(logos, 1.0));
}

INLINE double arrival_fit(Parameters p, Key key, uint64_t entity, int64_t segment, double bonus)
{
    return p[at_arrival_fit_mean + segment] + bonus + normal(draw(key, purposes_FIT, entity, 0));
}

INLINE int qualifies(Parameters p, Key key, uint64_t entity, int64_t segment, double fit)
{
    double error = p[at_arrival_qualification_noise] * normal(draw(key, purposes_FIT_NOISE, entity, 0));
    return fit + error >= p[at_arrival_qualification_threshold + segment];
}

INLINE int64_t first_arr(Parameters p, Key key, uint64_t entity, int64_t segment)
{
    double dollars = lognormal(draw(key, purposes_FIRST_ARR, entity, 0), p[at_value_first_arr + segment],
                               p[at_value_first_arr_sd + segment]);
    dollars = lower_of(higher_of(dollars, p[at_value_arr_floor + segment]), p[at_value_arr_cap + segment]);
    return (int64_t)(dollars * 100.0 + 0.5);
}

INLINE int64_t term_months(Parameters p, Key key, uint64_t entity, int64_t segment)
{
    double u = draw(key, purposes_TERM, entity, 0), monthly = p[at_term_monthly_share + segment];
    double two = monthly + p[at_term_two_year_share + segment], three = two + p[at_term_three_year_share + segment];
    if (u < monthly) return 1;
    if (u < two) return 24;
    return u < three ? 36 : 12;
}

/* people.py: service, needed by onboarding */

INLINE int64_t people_service(int64_t work_minutes, double pace) { return most(1, (int64_t)(work_minutes / pace + 0.5)); }

/* onboarding.py */

static int64_t work_minutes(Parameters p, Key key, uint64_t entity, int64_t segment, double fit)
{
    double shape = p[at_onboarding_hours_shape];
    double hours = p[at_onboarding_hours + segment]
                   * gamma_quantile(draw(key, purposes_ONBOARDING_HOURS, entity, 0), shape) / shape;
    if (fit < p[at_onboarding_misfit_below]) hours *= 1.0 + p[at_onboarding_misfit_overhead];
    return (int64_t)(hours * 60.0 + 0.5);
}

INLINE double full_pace(Parameters p, int64_t team)
{
    return p[at_seat_effective_hours + team] * p[at_seat_hours_factor + team] * 60.0 / clock_YEAR;
}

static int64_t work_left(Parameters p, Key key, uint64_t entity, int64_t segment, double fit, int64_t team, int64_t start)
{
    int64_t whole = work_minutes(p, key, entity, segment, fit);
    return start >= 0 ? whole : most(0, whole - (int64_t)(full_pace(p, team) * -(double)start));
}

static double customer_delay(Parameters p, Key key, uint64_t entity, int64_t segment, double behind_days)
{
    double u = draw(key, purposes_CUSTOMER_DELAY, entity, 0);
    double median = p[at_onboarding_customer_delay + segment], spread = p[at_onboarding_customer_delay_sd + segment];
    if (behind_days <= 0.0) return lognormal(u, median, spread);
    if (spread <= 0.0 || median <= 0.0) return higher_of(0.0, median - behind_days);
    double longer = 0.5 * erfc(log(behind_days / median) / spread / sqrt(2.0));
    double z = -normal(higher_of(1e-300, longer * (1.0 - u)));
    return higher_of(0.0, median * exp(spread * z) - behind_days);
}

static double days_behind(Parameters p, Key key, uint64_t entity, int64_t segment, double fit, int64_t team, int64_t start)
{
    if (start >= 0) return 0.0;
    if (p[at_onboarding_serial] <= 0.5) return -(double)start / clock_DAY;
    int64_t whole = work_minutes(p, key, entity, segment, fit);
    return most(0, -start - people_service(whole, full_pace(p, team))) / (double)clock_DAY;
}

static double reached_before(Parameters p, Key key, uint64_t entity, int64_t segment, double tenure_days)
{
    double days = lognormal(draw(key, purposes_OPENING_TTV, entity, 0), p[at_onboarding_customer_delay + segment],
                            p[at_onboarding_customer_delay_sd + segment]);
    return days <= tenure_days ? days : -1.0;
}

INLINE int64_t first_value_at(Parameters p, int64_t begun, int64_t service, double delay_days)
{
    int64_t delay = minutes(delay_days);
    return p[at_onboarding_serial] > 0.5 ? begun + service + delay : begun + most(service, delay);
}

static double self_serve_days(Parameters p, Key key, uint64_t entity, int64_t segment, int64_t start)
{
    double slower = p[at_onboarding_self_serve];
    if (slower <= 0.0) return 0.0;
    return slower * customer_delay(p, key, entity, segment, most(0, -start) / (double)clock_DAY / slower);
}

INLINE double patience_days(Parameters p, Key key, uint64_t entity, int64_t segment)
{
    return lognormal(draw(key, purposes_PATIENCE, entity, 0), p[at_onboarding_patience + segment],
                     p[at_onboarding_patience_sd]);
}

INLINE double lateness(Parameters p, int64_t segment, double ttv_days)
{
    return log(higher_of(ttv_days, 1.0 / 1440.0) / p[at_onboarding_target + segment]);
}

/* engagement.py */

INLINE double engagement_rest(Parameters p, int64_t segment, double fit, double ttv_days)
{
    double m = p[at_engagement_rest + segment] + p[at_engagement_fit_effect] * fit - p[at_engagement_neglect + segment];
    if (ttv_days >= 0.0) m -= p[at_engagement_ttv_effect] * lateness(p, segment, ttv_days);
    return m;
}

INLINE double drifted(Parameters p, double e, double m, int64_t elapsed)
{
    if (elapsed <= 0) return e;
    return m + (e - m) * exp(-p[at_engagement_drift] * elapsed / clock_DAY);
}

static double overdue(Parameters p, int64_t segment, int64_t since, int64_t until)
{
    double target = p[at_onboarding_target + segment], drift = p[at_engagement_drift];
    double begin = higher_of((double)since / clock_DAY, target), end = (double)until / clock_DAY;
    if (end <= begin || drift <= 0.0) return 0.0;
    double left = exp(drift * (begin - end));
    double late = log(end / target) - log(begin / target) * left;
    late -= exponential_integral(drift * end) - exponential_integral(drift * begin) * left;
    return p[at_engagement_ttv_effect] * late;
}

INLINE double engagement_now(Parameters p, int64_t segment, double e, double m, int64_t start, int64_t computed,
                             int64_t t, int adopted)
{
    e = drifted(p, e, m, t - computed);
    return adopted ? e : e - overdue(p, segment, computed - start, t - start);
}

INLINE double monthly_movement(Parameters p, Key key, uint64_t entity, int64_t n)
{
    return p[at_engagement_noise] * normal(draw(key, purposes_USAGE_NOISE, entity, n));
}

INLINE double engagement_response(Parameters p, Key key, uint64_t entity)
{
    return 1.0 + p[at_engagement_response_sd] * normal(draw(key, purposes_RESPONSE, entity, 0));
}

INLINE double engagement_score(Parameters p, Key key, uint64_t entity, int64_t n, double e)
{
    double x = p[at_score_offset] + e + p[at_score_noise] * normal(draw(key, purposes_SCORE_NOISE, entity, n));
    return 100.0 / (1.0 + exp(-x));
}

INLINE int64_t engagement_band(Parameters p, double score)
{
    if (score < p[at_score_red]) return engagement_RED;
    return score >= p[at_score_green] ? engagement_GREEN : engagement_YELLOW;
}

static double opening_level(Parameters p, int64_t segment, double ttv_days, double tenure_days)
{
    double late = ttv_days >= 0.0 ? lateness(p, segment, ttv_days) : higher_of(0.0, lateness(p, segment, tenure_days));
    return p[at_engagement_opening_mean + segment] - p[at_engagement_ttv_effect] * late;
}

static double held_up(Parameters p, int64_t segment, double tenure_days)
{
    double rest_alone = p[at_engagement_rest + segment] - p[at_engagement_neglect + segment];
    double gap = p[at_engagement_opening_mean + segment] - rest_alone;
    return gap * (1.0 - exp(-p[at_engagement_drift] * tenure_days));
}

INLINE double head_start(Parameters p, int64_t segment, double tenure_days)
{
    return p[at_engagement_neglect + segment] * exp(-p[at_engagement_drift] * tenure_days);
}

static double held_by_touches(Parameters p, const int32_t *done_at, const int16_t *done_work, int64_t first, int64_t end)
{
    double total = 0.0;
    for (int64_t j = first; j < end; j++)
        total += p[at_work_lift + done_work[j]] * exp(p[at_engagement_drift] * done_at[j] / clock_DAY);
    return total;
}

static double share_of_touches(Parameters p, int64_t segment, double touches, double head)
{
    if (touches == 0.0) return 0.0;
    double gap = p[at_engagement_opening_mean + segment] - p[at_engagement_rest + segment] + p[at_engagement_neglect + segment];
    return lower_of(higher_of((gap - head) / touches, 1.0), 2.0);
}

static double held_by_all(Parameters p, int64_t segment, double tenure_days, double touches, const double *like)
{
    return higher_of(0.0, held_up(p, segment, tenure_days) + like[2] * (touches - like[0]));
}

typedef struct { double level, alone, held; } Standing;

static Standing opening_standing(Parameters p, int64_t segment, double ttv_days, double tenure_days, double touches,
                                 const double *like)
{
    double level = opening_level(p, segment, ttv_days, tenure_days);
    if (like[2] == 0.0) return (Standing){level, level, held_up(p, segment, tenure_days)};
    double alone = level - like[2] * like[0] - like[1];
    level = alone + like[2] * touches + head_start(p, segment, tenure_days);
    return (Standing){level, alone, held_by_all(p, segment, tenure_days, touches, like)};
}

typedef struct { double a, b, c, v, w_ff, w_fr, w_rr, y_f, y_r; } Told;

INLINE void fade(Told *x, double own, double left)
{
    x->a *= left;
    x->b *= left;
    x->c *= left;
    x->v = own + (x->v - own) * left * left;
}

static Told told_by_scores(Parameters p, int64_t segment, double level, double held, double tenure_days,
                           const double *like, const double *log_odds, const int32_t *read_at, int64_t scores,
                           const int32_t *done_at, const int16_t *done_work, int64_t first, int64_t end)
{
    double drift = p[at_engagement_drift] / clock_DAY, own = p[at_engagement_opening_sd] * p[at_engagement_opening_sd];
    double noise = p[at_score_noise] * p[at_score_noise], touches = 0.0;
    Told x = {.v = own};
    int64_t before = clock_NEVER;
    for (int64_t j = scores - 1; j >= 0; j--) {
        int64_t t = read_at[j];
        if (t == clock_NEVER) continue;
        if (before < clock_NEVER) {
            double left = exp(drift * (before - t));
            fade(&x, own, left);
            touches *= left;
        }
        before = t;
        for (; first < end && done_at[first] <= t; first++)
            touches += p[at_work_lift + done_work[first]] * exp(drift * (done_at[first] - t));
        double level_then = level, held_then = held;
        if (like[2] > 0.0) {
            double tenure_then = tenure_days + (double)t / clock_DAY;
            level_then += like[2] * touches + head_start(p, segment, tenure_then);
            held_then = held_by_all(p, segment, tenure_then, touches, like);
        }
        double total = higher_of(x.v + noise, 1e-12);
        double above = log_odds[j] - p[at_score_offset] - level_then - x.a;
        double by_fit = 1.0 - x.b, by_answer = held_then - x.c;
        x.w_ff += by_fit * by_fit / total;
        x.w_fr += by_fit * by_answer / total;
        x.w_rr += by_answer * by_answer / total;
        x.y_f += by_fit * above / total;
        x.y_r += by_answer * above / total;
        double gain = x.v / total;
        x.a += gain * above;
        x.b += gain * by_fit;
        x.c += gain * by_answer;
        x.v -= gain * x.v;
    }
    if (before < clock_NEVER) fade(&x, own, exp(drift * before));
    return x;
}

INLINE double chosen(Parameters p, double held, double survived)
{
    return p[at_renewal_engagement] * held * p[at_engagement_response_sd] * p[at_engagement_response_sd] * survived;
}

static double opening_response(Parameters p, Key key, uint64_t entity, double mean, double w_rr, double y_r)
{
    double spread = p[at_engagement_response_sd], precision = 1.0 + w_rr * spread * spread;
    double z = normal(draw(key, purposes_RESPONSE, entity, 0));
    return mean + spread * (spread * y_r / precision + z / sqrt(precision));
}

static double engagement_opening(Key key, uint64_t entity, double mean, double variance)
{
    return mean + sqrt(higher_of(variance, 0.0)) * normal(draw(key, purposes_OPENING_ENGAGEMENT, entity, 0));
}

/* expansion.py */

INLINE double expansion_rate(Parameters p, int64_t segment, double e)
{
    double factor = exp(lower_of(p[at_expansion_engagement] * e, 50.0));
    return lower_of(p[at_expansion_rate + segment] * factor, expansion_MOST);
}

INLINE int expansion_won(Parameters p, Key key, uint64_t entity, int64_t n, int by_person)
{
    double chance = by_person ? p[at_expansion_win] : p[at_expansion_win] * p[at_expansion_self_serve];
    return draw(key, purposes_WIN, entity, n) < chance;
}

static int64_t expansion_gain(Parameters p, Key key, uint64_t entity, int64_t n, int64_t segment, int64_t arr, int64_t first)
{
    double share = lognormal(draw(key, purposes_EXPANSION_SHARE, entity, n), p[at_expansion_share], p[at_expansion_share_sd]);
    int64_t wallet = (int64_t)(first * p[at_value_wallet + segment] + 0.5);
    return most(0, least((int64_t)(arr * share + 0.5), wallet - arr));
}

INLINE int is_cross_sell(Parameters p, Key key, uint64_t entity, int64_t n)
{
    return draw(key, purposes_EXPANSION_KIND, entity, n) < p[at_expansion_cross_sell];
}

/* people.py */

INLINE double ramp(Parameters p, int64_t since, int64_t now, int64_t phase)
{
    if (now - since < phase) return p[at_seat_ramp_early];
    return now - since < 2 * phase ? p[at_seat_ramp_late] : 1.0;
}

INLINE double people_pace(Parameters p, int64_t team, int64_t since, int64_t now, int64_t phase)
{
    double hours = p[at_seat_effective_hours + team] * p[at_seat_hours_factor + team] * ramp(p, since, now, phase);
    return hours * 60.0 / clock_YEAR;
}


INLINE double leave_rate(Parameters p, int64_t team, double utilisation, double overtime_share)
{
    double load = p[at_seat_leave_load] * higher_of(0.0, utilisation - people_BUSY)
                  + p[at_overtime_attrition] * overtime_share;
    return p[at_seat_leave_rate + team] * exp(load);
}

INLINE double continuity(Parameters p, int64_t since, int64_t now)
{
    double days = (double)most(0, now - since) / clock_DAY;
    return 1.0 + p[at_continuity_ceiling] * (1.0 - exp(-days / p[at_continuity_days]));
}

/* renewal.py */

INLINE double drift_weight(Parameters p, int64_t segment, int64_t k)
{
    double c = p[at_renewal_drift + segment];
    if (c == 1.0) return 1.0;
    return pow((double)k, c) - pow((double)(k - 1), c);
}

INLINE double renewal_base(Parameters p, int64_t segment, int64_t months)
{
    double eta = p[at_renewal_beta_mixing] > 0.5 ? 0.0 : p[at_renewal_base + segment];
    if (months < 12) return eta + p[at_renewal_monthly_effect];
    return months > 12 ? eta + p[at_renewal_multi_year_effect] : eta;
}

static double renewal_hazard(Parameters p, int64_t segment, int64_t tier, int64_t months, int64_t k, double e, double fit,
                             int adopted, int sponsor, double log_price, int prepared)
{
    double eta = renewal_base(p, segment, months) + p[at_renewal_tier_effect + tier];
    eta -= p[at_renewal_engagement] * e + p[at_renewal_fit] * fit;
    eta += p[at_renewal_price] * log_price;
    if (!adopted) eta += p[at_renewal_not_onboarded];
    if (!sponsor) eta += p[at_renewal_no_sponsor];
    if (!prepared) eta += p[at_renewal_prep_missed];
    return exp(eta) * drift_weight(p, segment, k);
}

INLINE int renewal_stays(Key key, uint64_t entity, int64_t k, double v, double h)
{
    return draw(key, purposes_RENEWAL, entity, k) < exp(-v * h);
}

static int64_t renewal_reason(Parameters p, double e, double fit, int adopted, int sponsor, double log_price)
{
    double largest = 1e-9;
    int64_t why = renewal_UNEXPLAINED;
    if (-p[at_renewal_fit] * fit > largest) largest = -p[at_renewal_fit] * fit, why = renewal_FIT;
    if (!adopted && p[at_renewal_not_onboarded] > largest) largest = p[at_renewal_not_onboarded], why = renewal_NO_VALUE;
    if (-p[at_renewal_engagement] * e > largest) largest = -p[at_renewal_engagement] * e, why = renewal_ENGAGEMENT;
    if (!sponsor && p[at_renewal_no_sponsor] > largest) largest = p[at_renewal_no_sponsor], why = renewal_SPONSOR;
    if (p[at_renewal_price] * log_price > largest) why = renewal_PRICE;
    return why;
}

static double risk_multiplier(Parameters p, Key key, uint64_t entity, int64_t segment, double exposure)
{
    double u = draw(key, purposes_FRAILTY, entity, 0);
    if (p[at_renewal_beta_mixing] > 0.5) {
        double share = beta_quantile(u, p[at_renewal_beta_alpha + segment], p[at_renewal_beta_beta + segment] + exposure);
        return -log1p(-lower_of(share, 1.0 - 1e-15));
    }
    double theta = p[at_renewal_frailty + segment];
    if (theta < 1e-9) return 1.0;
    return gamma_quantile(u, 1.0 / theta) / (1.0 / theta + exposure);
}

INLINE double uplift(Parameters p, int64_t segment, int64_t months)
{
    double share = pow(1.0 + p[at_renewal_price_uplift + segment], months / 12.0) - 1.0;
    return lower_of(share, p[at_renewal_uplift_cap + segment]);
}

INLINE double share_without(Parameters p, int64_t segment)
{
    double leaves = p[at_sponsor_leave_rate + segment];
    return leaves > 0.0 ? leaves / (p[at_sponsor_returns] + leaves) : 0.0;
}

INLINE double past_exposure(Parameters p, int64_t segment, int64_t months, int64_t renewals, double level)
{
    if (renewals <= 0) return 0.0;
    double eta = renewal_base(p, segment, months) - p[at_renewal_engagement] * level;
    eta += p[at_renewal_price] * log(1.0 + uplift(p, segment, months));
    eta += log(1.0 + share_without(p, segment) * (exp(p[at_renewal_no_sponsor]) - 1.0));
    return exp(eta) * pow((double)renewals, p[at_renewal_drift + segment]);
}

INLINE double fit_slope(Parameters p) { return p[at_renewal_fit] + p[at_renewal_engagement] * p[at_engagement_fit_effect]; }
INLINE double fit_factor(Parameters p, double fit) { return exp(-fit_slope(p) * fit); }

typedef struct { double risk, change; } MeanRisk;

static MeanRisk mean_risk(Parameters p, int64_t segment, double x)
{
    if (p[at_renewal_beta_mixing] > 0.5) {
        double b = higher_of(p[at_renewal_beta_beta + segment] + x - 0.5, 0.05), ab = b + p[at_renewal_beta_alpha + segment];
        return (MeanRisk){log(ab / b), 1.0 / ab - 1.0 / b};
    }
    double theta = p[at_renewal_frailty + segment], scaled = 1.0 + theta * x;
    return (MeanRisk){1.0 / scaled, -theta / (scaled * scaled)};
}

static double opening_fit(Parameters p, Key key, uint64_t entity, int64_t segment, double exposure, const Told *told)
{
    double z = normal(draw(key, purposes_FIT, entity, 0)), mean = p[at_arrival_fit_mean + segment], b = fit_slope(p);
    double f = mean, curvature = 1.0;
    for (int i = 0; i < (exposure > 0.0 && b != 0.0 ? 4 : 0); i++) {
        double x = exposure * exp(-b * f);
        MeanRisk mean_at = mean_risk(p, segment, x);
        curvature = higher_of(0.1, 1.0 + b * b * x * (mean_at.risk + x * mean_at.change));
        f -= (f - mean - b * x * mean_at.risk) / curvature;
    }
    double effect = p[at_engagement_fit_effect], variance = p[at_engagement_response_sd] * p[at_engagement_response_sd];
    double shared = told->w_fr * variance / (1.0 + told->w_rr * variance);
    double weight = told->w_ff - shared * told->w_fr, weighted = told->y_f - shared * told->y_r;
    double precision = curvature + effect * effect * weight;
    f += effect * (weighted - weight * effect * f) / precision;
    return f + z / sqrt(precision);
}

static double hazard_survived(Parameters p, int64_t segment, double exposure)
{
    return exposure * mean_risk(p, segment, exposure).risk;
}

INLINE int64_t running_for(int64_t months, int64_t term_end, int64_t start)
{
    return most(0, least(-start, months * clock_MONTH - term_end));
}

INLINE int renewal_contracts(Parameters p, Key key, uint64_t entity, int64_t k, int64_t segment, double e)
{
    double x = p[at_renewal_contraction + segment] - p[at_renewal_contraction_engagement] * e;
    return draw(key, purposes_CONTRACTION_AT_RENEWAL, entity, k) * (1.0 + exp(-x)) < 1.0;
}

static double kept_share(Parameters p, Key key, int64_t purpose, uint64_t entity, int64_t n)
{
    double size = p[at_renewal_contraction_keep_size], mean = p[at_renewal_contraction_keep];
    return beta_quantile(draw(key, purpose, entity, n), mean * size, (1.0 - mean) * size);
}

INLINE int64_t notice_minutes(Parameters p, int64_t months)
{
    return months >= 6 ? (int64_t)(p[at_renewal_notice_days] * 1440.0) : -1;
}

/* risk.py */

INLINE double risk_threshold(Key key, int64_t purpose, uint64_t entity, int64_t spell)
{
    return exponential(draw(key, purpose, entity, spell));
}

INLINE int64_t purpose_of(int64_t risk)
{
    static const uint8_t purpose[risk_RISKS] = {
        purposes_SPONSOR_LEAVES,      purposes_UNCONTROLLABLE, purposes_IN_TERM_LOSS,  purposes_OPPORTUNITY,
        purposes_IN_TERM_CONTRACTION, purposes_REFERRAL,       purposes_LATE_INVOICE, purposes_LATE_INVOICE,
    };
    return purpose[risk];
}

INLINE int64_t risk_look_ahead(double *left, double rate, int64_t now, int64_t until)
{
    if (rate <= 0.0) return clock_NEVER;
    double used = rate * (until - now) / clock_YEAR;
    if (*left < used) return least(until, now + (int64_t)(*left / rate * clock_YEAR + 0.5));
    *left -= used;
    return clock_NEVER;
}

INLINE int risk_passed(double *left, double rate, int64_t minutes)
{
    double used = rate * minutes / clock_YEAR;
    if (*left < used) return 1;
    *left -= used;
    return 0;
}

INLINE int64_t reactivation_after(Parameters p, Key key, uint64_t entity, int64_t spell, int64_t segment)
{
    double rate = p[at_renewal_reactivation + segment];
    if (rate <= 0.0) return clock_NEVER;
    double years = exponential(draw(key, purposes_REACTIVATION, entity, spell)) / rate;
    return years > 2.0 ? clock_NEVER : (int64_t)(years * clock_YEAR + 0.5);
}

/* sponsor.py */

INLINE int sponsor_present_at_start(Parameters p, Key key, uint64_t entity, int64_t segment, int64_t known)
{
    if (known >= 0) return (int)known;
    double returns = p[at_sponsor_returns], leaves = p[at_sponsor_leave_rate + segment];
    if (leaves <= 0.0) return 1;
    return draw(key, purposes_OPENING_SPONSOR, entity, 0) * (returns + leaves) < returns;
}

/* tickets.py */

INLINE int64_t ticket_gap(Parameters p, Key key, uint64_t entity, int64_t n, int64_t segment, int adopted, double fit)
{
    double rate = p[at_ticket_rate + segment];
    if (!adopted) rate *= p[at_ticket_onboarding_factor];
    if (fit < p[at_onboarding_misfit_below]) rate *= p[at_ticket_misfit_factor];
    if (rate <= 0.0) return clock_NEVER;
    double u = draw(key, purposes_TICKET_GAP, entity, n);
    return least(clock_NEVER, (int64_t)(exponential(u) / rate * clock_MONTH + 0.5));
}

INLINE double ticket_effect(Parameters p, int in_time) { return in_time ? p[at_ticket_fast_lift] : -p[at_ticket_slow_shock]; }

/* touches.py */

INLINE int save_succeeds(Parameters p, Key key, uint64_t entity, int64_t n)
{
    return draw(key, purposes_SAVE, entity, n) < p[at_playbook_save_success];
}

INLINE int sponsor_recovers(Parameters p, Key key, uint64_t entity, int64_t n)
{
    return draw(key, purposes_SPONSOR_RECOVERS, entity, n) < p[at_sponsor_recovers];
}

INLINE int reached(Parameters p, Key key, uint64_t who, int64_t n, int64_t campaign)
{
    return draw(key, purposes_CAMPAIGN_REACH, who, n) < p[at_campaign_reach + campaign];
}

/* work.py */

INLINE int64_t work_policy(Parameters p, int64_t work) { return (int64_t)p[at_work_overload + work]; }

INLINE double scale_of_mean(double shape) { return exp(-log_gamma(1.0 + 1.0 / shape)); }

INLINE int64_t item_minutes(Parameters p, Key key, uint64_t who, int64_t n, int64_t work, double scale)
{
    double u = draw(key, purposes_WORK_HOURS, who, n);
    return (int64_t)(weibull(u, p[at_work_hours_shape + work], p[at_work_hours + work] * scale) * 60.0 + 0.5);
}

INLINE int64_t work_due(Parameters p, int64_t now, int64_t work) { return now + minutes(p[at_work_deadline + work]); }

INLINE int64_t work_lapses(Parameters p, Key key, uint64_t who, int64_t n, int64_t work, int64_t now, int64_t due_at)
{
    if (p[at_work_patience_exponential + work] > 0.5) {
        double days = p[at_work_deadline + work] * exponential(draw(key, purposes_WORK_PATIENCE, who, n));
        return now + most(1, minutes(days));
    }
    return due_at;
}

INLINE int64_t work_rank(Parameters p, int64_t work, int64_t tier, int64_t due_at, int64_t now)
{
    int64_t priority = (int64_t)(p[at_work_priority + work] + p[at_coverage_priority + tier]);
    priority = least(most(priority, 0), 255);
    return (((priority << 27) | least(due_at, clock_NEVER - 1)) << 27) | now;
}

INLINE int64_t squeezed_minutes(Parameters p, int64_t work_minutes)
{
    return (int64_t)(work_minutes * p[at_work_squeeze_hours] + 0.5);
}

INLINE int64_t first_touch_at(Key key, uint64_t who, int64_t n, int64_t start, int64_t cadence)
{
    return start + 1 + (int64_t)(draw(key, purposes_TOUCH_OFFSET, who, n) * cadence);
}
