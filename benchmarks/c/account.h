/* Accounts: port of account.py and entry.py (without the trace). */

/* account.py */

static double engagement_at(State *s, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    return engagement_now(s->p, a->segment, a->e, a->rest, a->start, a->e_at, t, a->stage == ev_ADOPTED);
}

INLINE void engage(State *s, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (t > a->e_at) {
        a->e = engagement_at(s, i, t);
        a->e_at = t;
    }
}

INLINE void shift(State *s, int64_t i, int64_t t, double by)
{
    engage(s, i, t);
    s->accounts[i].e += by;
}

INLINE void set_arr(State *s, int64_t i, int64_t arr, int64_t metric)
{
    ACCOUNT *a = &s->accounts[i];
    by_segment(s, a->segment, metric, most(arr - a->arr, a->arr - arr));
    a->arr = arr;
}

static void expand(State *s, int64_t i, int64_t n)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t gain = expansion_gain(s->p, s->key, a->entity, n, a->segment, a->arr, a->first_arr);
    if (gain > 0) {
        int cross = is_cross_sell(s->p, s->key, a->entity, n);
        set_arr(s, i, a->arr + gain, cross ? S_EXPANSION_CROSS_SELL : S_EXPANSION_SEATS);
    }
}

static double risk_rate(WS, int64_t i, int64_t which)
{
    ACCOUNT *a = &s->accounts[i];
    switch (which) {
    case risk_SPONSOR_LEAVES:
        return a->sponsor ? s->p[at_sponsor_leave_rate + a->segment] : s->p[at_sponsor_returns];
    case risk_UNCONTROLLABLE: return a->doomed ? 0.0 : s->p[at_renewal_uncontrollable + a->segment];
    case risk_IN_TERM_LOSS: return s->p[at_renewal_in_term_loss + a->segment];
    case risk_OPPORTUNITY:
        return a->stage != ev_ADOPTED || !a->sponsor ? 0.0 : expansion_rate(s->p, a->segment, a->e);
    case risk_IN_TERM_CONTRACTION: return s->p[at_contraction_rate + a->segment];
    case risk_REFERRAL: return a->advocate && a->lead_at == clock_NEVER ? s->p[at_referral_rate + a->segment] : 0.0;
    case risk_LATE_INVOICE: return w->work_of_role[work_INVOICE] >= 0 ? s->p[at_invoice_late_rate + a->segment] : 0.0;
    default: return 0.0;
    }
}

INLINE void new_spell(State *s, int64_t i, int64_t which)
{
    int64_t x = i * risk_RISKS + which;
    s->spells[x] += 1;
    s->pending[x] = clock_NEVER;
    s->rate[x] = 0.0;
    s->left[x] = risk_threshold(s->key, purpose_of(which), s->accounts[i].entity, s->spells[x]);
}

INLINE void arm(WS, int64_t i, int64_t which, int64_t t)
{
    int64_t until = s->accounts[i].review_at, x = i * risk_RISKS + which;
    int64_t when = risk_look_ahead(&s->left[x], s->rate[x], t, until);
    s->pending[x] = when;
    if (when != clock_NEVER) push(w, s, when, ev_RISK, x);
}

static void arm_all(WS, int64_t i, int64_t t)
{
    for (int64_t which = 0; which <= risk_LATE_INVOICE; which++) {
        s->rate[i * risk_RISKS + which] = risk_rate(w, s, i, which);
        arm(w, s, i, which, t);
    }
}

static int64_t choose_tier(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    for (int64_t r = 0; r < w->routes_n[0]; r++) {
        ROUTE *rule = &w->routes[r];
        if (t >= rule->since && (rule->segment < 0 || rule->segment == a->segment)
            && (rule->stage < 0 || rule->stage == a->stage) && rule->arr_from <= a->arr && a->arr < rule->arr_below
            && a->score < rule->score_below)
            return rule->tier;
    }
    return a->tier;
}

static int64_t least_loaded(WS, int64_t team)
{
    int64_t best = -1;
    for (int64_t seat = w->team_from[team]; seat < w->team_from[team + 1]; seat++) {
        SEAT *x = &s->seats[seat];
        if (x->state > 0 && !x->leaving && (best < 0 || x->accounts < s->seats[best].accounts)) best = seat;
    }
    return best;
}

static void own(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    a->owner = -1;
    if (has_owners(w, a->tier)) {
        a->owner = least_loaded(w, s, w->tier_team[a->tier]);
        if (a->owner >= 0) s->seats[a->owner].accounts += 1;
    }
    a->since = t;
}

static void start_calendars(WS, int64_t i, int64_t t, int fresh)
{
    ACCOUNT *a = &s->accounts[i];
    for (int64_t k = 0; k < w->n_work; k++) {
        if (w->work_role[k] != work_CALENDAR) continue;
        int64_t x = item_of(s, i, k), cadence = minutes(s->p[at_touch_cadence + a->tier * at_WORK + k]);
        ITEM *item = &s->items[x];
        if (cadence > 0 && item->state == 0 && item->next_due == clock_NEVER) {
            item->next_due = t + cadence;
            if (!fresh) item->next_due = first_touch_at(s->key, a->entity ^ w->work_key[k], item->n, t, cadence);
            push(w, s, item->next_due, ev_DUE, number_of(s, x));
        }
    }
}

static void onboard_alone(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    a->first_value_at = t + most(1, minutes(self_serve_days(s->p, s->key, a->entity, a->segment, a->start)));
    push(w, s, a->first_value_at, ev_FIRST_VALUE, i);
}

static void next_ticket(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    a->ticket_at = clock_NEVER;
    int64_t k = w->work_of_role[work_TICKET];
    if (k < 0 || work_team(w, a->tier, k) < 0 || s->items[item_of(s, i, k)].state != 0) return;
    int64_t after = ticket_gap(s->p, s->key, a->entity, a->ticket_n, a->segment, a->stage == ev_ADOPTED, a->fit);
    if (after < clock_NEVER) {
        a->ticket_at = t + after;
        push(w, s, a->ticket_at, ev_TICKET, i);
    }
}

static void reroute(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t tier = choose_tier(w, s, i, t);
    if (tier == a->tier) return;
    a->tier = tier;
    int64_t old = a->owner, since = a->since;
    if (old >= 0) s->seats[old].accounts -= 1;
    own(w, s, i, t);
    if (old >= 0 && a->owner == old)
        a->since = since;
    else if (old >= 0)
        shift(s, i, t, -s->p[at_handover_shock]);
    move_items(w, s, i, t);
    start_calendars(w, s, i, t, 0);
    int64_t k = w->work_of_role[work_ONBOARDING];
    if (a->stage == ev_ONBOARDING && a->first_value_at == clock_NEVER && k >= 0 && s->items[item_of(s, i, k)].state == 0)
        onboard_alone(w, s, i, t);
    if (a->ticket_at == clock_NEVER) next_ticket(w, s, i, t);
}

INLINE int plays(WS, int64_t i, int64_t role)
{
    int64_t k = w->work_of_role[role];
    return k >= 0 && s->p[at_playbook_on + s->accounts[i].tier * at_WORK + k] > 0.5;
}

INLINE int raise_of(WS, int64_t i, int64_t role, int64_t t, int64_t latest, int64_t tag)
{
    int64_t k = w->work_of_role[role];
    return k >= 0 && raise_item(w, s, i, k, t, latest, tag);
}

INLINE int play(WS, int64_t i, int64_t role, int64_t t, int64_t latest, int64_t tag)
{
    return plays(w, s, i, role) && raise_of(w, s, i, role, t, latest, tag);
}

static void begin_term(WS, int64_t i, int64_t t, int64_t term_end)
{
    ACCOUNT *a = &s->accounts[i];
    a->term_end = term_end;
    a->prepared = 0;
    a->notice_at = clock_NEVER;
    push(w, s, term_end, ev_TERM_END, i);
    int64_t notice = notice_minutes(s->p, a->term);
    if (notice >= 0 && term_end - notice > t) {
        a->notice_at = term_end - notice;
        push(w, s, a->notice_at, ev_NOTICE, i);
    }
}

static void reach_value(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    a->first_value_at = clock_NEVER;
    a->stall_at = clock_NEVER;
    engage(s, i, t);
    a->ttv_days = (t - a->start) / 1440.0;
    a->stage = ev_ADOPTED;
    a->rest = engagement_rest(s->p, a->segment, a->fit, a->ttv_days);
    by_segment(s, a->segment, S_FIRST_VALUES, 1);
    by_segment(s, a->segment, S_TTV_MINUTES, t - a->start);
    reroute(w, s, i, t);
    play(w, s, i, work_HANDOFF, t, clock_NEVER, 0);
}

static void churn(WS, int64_t i, int64_t t, int64_t why)
{
    ACCOUNT *a = &s->accounts[i];
    by_segment(s, a->segment, S_CHURN_FIT + why, a->arr);
    a->last_arr = a->arr;
    set_arr(s, i, 0, S_CHURN);
    by_segment(s, a->segment, S_LOGOS_LOST, 1);
    for (int64_t k = 0; k < w->n_work; k++) {
        if (s->items[item_of(s, i, k)].state == 1) cancel(w, s, i, k);
        s->items[item_of(s, i, k)].next_due = clock_NEVER;
    }
    if (a->owner >= 0) {
        s->seats[a->owner].accounts -= 1;
        a->owner = -1;
    }
    if (a->fit < s->p[at_onboarding_misfit_below]) {
        s->mood[0] = s->mood[0] * exp(-(t - s->mood[1]) / clock_YEAR) + 1.0;
        s->mood[1] = t;
    }
    s->mood[2] -= 1.0;
    a->alive = 0;
    a->lost_at = t;
    a->first_value_at = clock_NEVER;
    a->stall_at = clock_NEVER;
    int64_t after = reactivation_after(s->p, s->key, a->entity, a->lives, a->segment);
    a->back_at = clock_NEVER;
    if (after < clock_NEVER) {
        a->back_at = t + after;
        push(w, s, a->back_at, ev_REACTIVATION, i);
    }
}

/* entry.py */

static int64_t new_row(WS, uint64_t entity, int64_t segment, int64_t start)
{
    int64_t i = s->count[N_ACCOUNTS];
    if (i >= s->accounts_n[0]) {
        s->count[STATUS] = ev_ACCOUNTS_FULL;
        return -1;
    }
    s->count[N_ACCOUNTS] = i + 1;
    ACCOUNT *a = &s->accounts[i];
    a->entity = entity;
    a->segment = segment;
    a->start = start;
    a->arr = 0;
    a->ttv_days = -1.0;
    a->score = 101.0;
    a->notice_at = a->first_value_at = a->stall_at = a->ticket_at = a->lead_at = a->back_at = clock_NEVER;
    a->above_since = -1;
    a->lost_at = -clock_NEVER;
    a->owner = -1;
    a->rest_of = -1;
    a->k = a->reviews = a->lives = a->ticket_n = a->spike_from = a->spike_n = 0;
    a->tier = 0;
    a->stage = ev_ONBOARDING;
    a->band = -1;
    a->alive = a->sponsor = 1;
    a->advocate = a->doomed = a->prepared = a->conceded = a->inactive = 0;
    a->response = engagement_response(s->p, s->key, entity);
    for (int64_t j = 0; j < 12; j++) s->history[i * 12 + j] = 0;
    for (int64_t which = 0; which < risk_RISKS; which++) {
        int64_t x = i * risk_RISKS + which;
        s->spells[x] = 0;
        s->pending[x] = clock_NEVER;
        s->rate[x] = 0.0;
        s->left[x] = risk_threshold(s->key, purpose_of(which), entity, 0);
    }
    s->waiting[i] = 0;
    for (int64_t k = 0; k < w->n_work; k++) {
        ITEM *item = &s->items[item_of(s, i, k)];
        item->state = item->n = item->tag = 0;
        item->next_due = item->lapses = item->overflow = clock_NEVER;
    }
    s->mood[2] += 1.0;
    return i;
}

static void await_stall(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    a->stall_at = a->start + most(1, minutes(patience_days(s->p, s->key, a->entity, a->segment)));
    if (a->stall_at > t) push(w, s, a->stall_at, ev_STALL, i);
    else a->stall_at = clock_NEVER;
}

static void begin_onboarding(WS, int64_t i, int64_t t)
{
    if (!raise_of(w, s, i, work_ONBOARDING, t, clock_NEVER, 0)) onboard_alone(w, s, i, t);
    await_stall(w, s, i, t);
}

static void go_on_onboarding(WS, int64_t i)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t k = w->work_of_role[work_ONBOARDING], team = k >= 0 ? work_team(w, a->tier, k) : -1;
    if (team < 0 || work_left(s->p, s->key, a->entity, a->segment, a->fit, team, a->start) > 0) {
        begin_onboarding(w, s, i, 0);
        return;
    }
    double behind = days_behind(s->p, s->key, a->entity, a->segment, a->fit, team, a->start);
    a->first_value_at = most(1, minutes(customer_delay(s->p, s->key, a->entity, a->segment, behind)));
    push(w, s, a->first_value_at, ev_FIRST_VALUE, i);
    await_stall(w, s, i, 0);
}

static void begin_life(WS, int64_t i, int64_t t, int fresh, int64_t review_at)
{
    ACCOUNT *a = &s->accounts[i];
    a->review_at = review_at;
    start_calendars(w, s, i, t, fresh);
    push(w, s, a->review_at, ev_REVIEW, i);
    arm_all(w, s, i, t);
    next_ticket(w, s, i, t);
}

static void new_account(WS, uint64_t entity, int64_t segment, int64_t t, double bonus)
{
    double fit = arrival_fit(s->p, s->key, entity, segment, bonus);
    if (!qualifies(s->p, s->key, entity, segment, fit)) {
        by_segment(s, segment, S_DECLINED, 1);
        return;
    }
    int64_t i = new_row(w, s, entity, segment, t);
    if (i < 0) return;
    ACCOUNT *a = &s->accounts[i];
    a->fit = fit;
    a->v = risk_multiplier(s->p, s->key, entity, segment, 0.0);
    a->rest = engagement_rest(s->p, segment, fit, -1.0);
    a->e = s->p[at_engagement_rest + segment] + s->p[at_engagement_fit_effect] * fit;
    a->e_at = t;
    a->term = term_months(s->p, s->key, entity, segment);
    a->anchor = day_of_month(t, w->first_day);
    a->first_arr = first_arr(s->p, s->key, entity, segment);
    set_arr(s, i, a->first_arr, S_NEW);
    by_segment(s, segment, S_LOGOS_NEW, 1);
    a->tier = choose_tier(w, s, i, t);
    own(w, s, i, t);
    begin_term(w, s, i, t, add_months(t, a->term, a->anchor, w->first_day));
    begin_onboarding(w, s, i, t);
    begin_life(w, s, i, t, 1, t + clock_MONTH);
}

static void open_stage(State *s, int64_t i, int64_t onboarded, double ttv_days)
{
    ACCOUNT *a = &s->accounts[i];
    double tenure = -(double)a->start / clock_DAY, days = reached_before(s->p, s->key, a->entity, a->segment, tenure);
    if (onboarded == 1 || (onboarded < 0 && days >= 0.0)) {
        a->stage = ev_ADOPTED;
        a->ttv_days = ttv_days;
        if (ttv_days < 0.0) a->ttv_days = days >= 0.0 ? days : tenure;
    }
}

static void compare_alike(WS)
{
    for (int64_t segment = 0; segment < s->alike_n[0]; segment++) {
        double touches = 0.0, head = 0.0, *like = &s->alike[segment * 3];
        int64_t count = 0;
        for (int64_t o = 0; o < w->opening_n[0]; o++) {
            if (w->opening[o].segment != segment) continue;
            s->touched[o] = held_by_touches(s->p, w->done_at, w->done_work, w->done_from[o], w->done_from[o + 1]);
            touches += s->touched[o];
            head += head_start(s->p, segment, -(double)w->opening[o].start / clock_DAY);
            count++;
        }
        like[0] = touches / most(count, 1);
        like[1] = head / most(count, 1);
        like[2] = share_of_touches(s->p, segment, like[0], like[1]);
    }
}

static void open_state(WS, int64_t i, int64_t o)
{
    ACCOUNT *a = &s->accounts[i];
    double tenure = -(double)a->start / clock_DAY, *like = &s->alike[a->segment * 3];
    Standing here = opening_standing(s->p, a->segment, a->ttv_days, tenure, s->touched[o], like);
    int64_t scores = w->opening_readings_n[1];
    Told x = told_by_scores(s->p, a->segment, here.alone, here.held, tenure, like, &w->opening_readings[o * scores],
                            &w->opening_read_at[o * scores], scores, w->done_at, w->done_work, w->done_from[o],
                            w->done_from[o + 1]);
    double exposure = past_exposure(s->p, a->segment, a->term, a->k, here.level);
    a->fit = opening_fit(s->p, s->key, a->entity, a->segment, exposure, &x);
    double lived_through = exposure * fit_factor(s->p, a->fit);
    a->v = risk_multiplier(s->p, s->key, a->entity, a->segment, lived_through);
    a->rest = engagement_rest(s->p, a->segment, a->fit, a->ttv_days);
    double fits = s->p[at_engagement_fit_effect] * a->fit;
    double expected = 1.0 + chosen(s->p, here.held, hazard_survived(s->p, a->segment, lived_through));
    a->response = opening_response(s->p, s->key, a->entity, expected, x.w_rr, x.y_r - x.w_fr * fits);
    double answers = a->response - expected;
    double mean = here.level + x.a + (1.0 - x.b) * fits + (here.held - x.c) * answers;
    a->e = engagement_opening(s->key, a->entity, mean, x.v);
    a->e_at = 0;
    double score = w->opening[o].score;
    if (score >= 0.0) {
        a->score = score;
        a->band = engagement_band(s->p, score);
    }
}

static void open_preparation(WS, int64_t i, int64_t known)
{
    ACCOUNT *a = &s->accounts[i];
    if (known == 1 || (known < 0 && a->notice_at == clock_NEVER)) {
        a->prepared = 1;
        a->notice_at = clock_NEVER;
    } else if (known == 0 && a->notice_at == clock_NEVER && a->term >= 6 && a->term_end > 1) {
        a->notice_at = 1;
        push(w, s, a->notice_at, ev_NOTICE, i);
    }
}

static void resume_calendars(WS, int64_t i, int64_t o)
{
    ACCOUNT *a = &s->accounts[i];
    for (int64_t k = 0; k < w->n_work; k++) {
        int64_t x = item_of(s, i, k), cadence = minutes(s->p[at_touch_cadence + a->tier * at_WORK + k]);
        if (w->work_role[k] != work_CALENDAR || cadence <= 0) continue;
        int64_t last_due = w->opening_touches[o * w->n_work + k], deadline = minutes(s->p[at_work_deadline + k]);
        if (last_due == clock_NEVER || last_due + cadence <= 0) continue;
        int64_t next_at = last_due - deadline + cadence;
        if (next_at <= 0)
            raise_item(w, s, i, k, 0, next_at + deadline, next_at);
        else {
            s->items[x].next_due = next_at;
            push(w, s, next_at, ev_DUE, number_of(s, x));
        }
    }
}

static int64_t first_review(State *s, int64_t i, int64_t known)
{
    ACCOUNT *a = &s->accounts[i];
    if (known > 0) return known;
    return 1 + (int64_t)(draw(s->key, purposes_REVIEW_OFFSET, a->entity, a->lives) * clock_MONTH);
}

static void open_account(WS, int64_t o)
{
    OPENING *row = &w->opening[o];
    int64_t i = new_row(w, s, row->entity, row->segment, row->start);
    if (i < 0) return;
    ACCOUNT *a = &s->accounts[i];
    a->arr = row->arr;
    a->first_arr = row->first_arr;
    a->term = row->term;
    a->anchor = row->anchor;
    a->k = row->renewals;
    for (int64_t j = 0; j < 12; j++) s->history[i * 12 + j] = w->opening_history[o * 12 + j];
    a->sponsor = sponsor_present_at_start(s->p, s->key, a->entity, a->segment, row->sponsor);
    open_stage(s, i, row->onboarded, row->ttv_days);
    open_state(w, s, i, o);
    a->tier = choose_tier(w, s, i, 0);
    own(w, s, i, 0);
    a->since = most(row->start, -clock_YEAR);
    begin_term(w, s, i, 0, row->term_end);
    open_preparation(w, s, i, row->prepared);
    int64_t past = running_for(a->term, a->term_end, a->start);
    a->doomed = risk_passed(&s->left[i * risk_RISKS + risk_UNCONTROLLABLE], risk_rate(w, s, i, risk_UNCONTROLLABLE), past);
    if (a->stage == ev_ONBOARDING) go_on_onboarding(w, s, i);
    resume_calendars(w, s, i, o);
    begin_life(w, s, i, 0, 0, first_review(s, i, row->review_at));
}

static void come_back(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    a->alive = 1;
    s->mood[2] += 1.0;
    a->lives += 1;
    a->doomed = a->conceded = 0;
    a->sponsor = 1;
    a->advocate = 0;
    a->above_since = -1;
    a->inactive = 0;
    a->back_at = clock_NEVER;
    if (a->stage == ev_ONBOARDING) a->start = t;
    a->e = a->rest;
    a->e_at = t;
    double share = s->p[at_renewal_reactivation_share];
    set_arr(s, i, most(1, (int64_t)(a->last_arr * share + 0.5)), S_REACTIVATION);
    by_segment(s, a->segment, S_LOGOS_REACTIVATED, 1);
    a->anchor = day_of_month(t, w->first_day);
    a->tier = choose_tier(w, s, i, t);
    own(w, s, i, t);
    begin_term(w, s, i, t, add_months(t, a->term, a->anchor, w->first_day));
    if (a->stage == ev_ONBOARDING) begin_onboarding(w, s, i, t);
    for (int64_t which = 0; which < risk_RISKS; which++) new_spell(s, i, which);
    begin_life(w, s, i, t, 1, t + clock_MONTH);
}
