/* The event loop: port of loop.py (without the trace). Compared with the compiled engine, number for number. */

#include "generated.h"
#include "random.h"
#include "rules.h"
#include "queues.h"
#include "account.h"
#include "people.h"

#include <string.h>

static void on_lever(WS, int64_t r, int64_t t)
{
    LEVER *lever = &w->levers[r];
    if (lever->action == ev_SET) {
        s->p[lever->number] = lever->value;
        s->count[CHANGES] += 1;
    } else if (lever->action == ev_SCALE) {
        s->p[lever->number] *= lever->value;
        s->count[CHANGES] += 1;
    } else if (lever->action == ev_LEAVE)
        dismiss(w, s, lever->number, lever->count, t);
    else
        for (int64_t i = 0; i < s->count[N_ACCOUNTS]; i++)
            if (s->accounts[i].alive) {
                if (lever->action == ev_ROUTE)
                    reroute(w, s, i, t);
                else if (s->accounts[i].tier == lever->number)
                    start_calendars(w, s, i, t, 0);
            }
}

static void on_sponsor(WS, int64_t i, int64_t t, int64_t n)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->sponsor) {
        a->sponsor = 0;
        shift(s, i, t, -s->p[at_sponsor_shock] * s->p[at_sponsor_shock_share + a->segment]);
        play(w, s, i, work_SPONSOR, t, clock_NEVER, n);
    } else
        a->sponsor = 1;
}

static void on_opportunity(WS, int64_t i, int64_t t, int64_t n)
{
    ACCOUNT *a = &s->accounts[i];
    if (!a->sponsor) return;
    if (plays(w, s, i, work_EXPANSION) && work_team(w, a->tier, w->work_of_role[work_EXPANSION]) >= 0)
        play(w, s, i, work_EXPANSION, t, clock_NEVER, n);
    else if (expansion_won(s->p, s->key, a->entity, n, 0))
        expand(s, i, n);
}

static void on_risk(WS, int64_t number, int64_t t)
{
    int64_t i = number / risk_RISKS, which = number % risk_RISKS;
    ACCOUNT *a = &s->accounts[i];
    if (s->pending[number] != t || !a->alive) return;
    int64_t n = s->spells[number];
    double rate = s->rate[number];
    new_spell(s, i, which);
    s->rate[number] = rate;
    switch (which) {
    case risk_IN_TERM_LOSS: churn(w, s, i, t, renewal_UNCONTROLLED); return;
    case risk_SPONSOR_LEAVES:
        on_sponsor(w, s, i, t, n);
        s->rate[number] = risk_rate(w, s, i, which);
        break;
    case risk_UNCONTROLLABLE:
        a->doomed = 1;
        s->rate[number] = 0.0;
        break;
    case risk_OPPORTUNITY: on_opportunity(w, s, i, t, n); break;
    case risk_IN_TERM_CONTRACTION: {
        double share = kept_share(s->p, s->key, purposes_IN_TERM_KEEP, a->entity, n);
        set_arr(s, i, most(1, (int64_t)(a->arr * share + 0.5)), S_CONTRACTION);
        break;
    }
    case risk_REFERRAL:
        s->rate[number] = 0.0;
        a->lead_at = t + minutes(s->p[at_referral_lag]);
        by_segment(s, a->segment, S_REFERRALS, 1);
        push(w, s, a->lead_at, ev_LEAD, i);
        break;
    default: play(w, s, i, work_INVOICE, t, clock_NEVER, n);
    }
    arm(w, s, i, which, t);
}

static void renew(WS, int64_t i, int64_t t, int64_t k, double rise, double given)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t before = a->arr;
    if (renewal_contracts(s->p, s->key, a->entity, k, a->segment, a->e)) {
        double share = kept_share(s->p, s->key, purposes_CONTRACTION_KEEP, a->entity, k);
        set_arr(s, i, most(1, (int64_t)(a->arr * share + 0.5)), S_CONTRACTION);
    }
    by_segment(s, a->segment, S_RENEWED, least(before, a->arr));
    if (given > 0.0) set_arr(s, i, most(1, (int64_t)(a->arr * (1.0 - given) + 0.5)), S_CONCESSION);
    a->conceded = 0;
    if (rise != 0.0) set_arr(s, i, most(1, (int64_t)(a->arr * (1.0 + rise) + 0.5)), rise > 0.0 ? S_PRICE_UP : S_PRICE_DOWN);
    begin_term(w, s, i, t, add_months(t, a->term, a->anchor, w->first_day));
    reroute(w, s, i, t);
}

static void on_term_end(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->term_end != t || !a->alive) return;
    engage(s, i, t);
    int64_t k = a->k + 1, why = renewal_UNCONTROLLED;
    double rise = uplift(s->p, a->segment, a->term), given = a->conceded ? s->p[at_playbook_save_concession] : 0.0;
    double log_price = log((1.0 + rise) * higher_of(1e-9, 1.0 - given));
    int adopted = a->stage == ev_ADOPTED, sponsor = a->sponsor != 0, stays = !a->doomed;
    by_segment(s, a->segment, S_ATR, a->arr);
    by_segment(s, a->segment, S_RENEWALS_DUE, 1);
    if (stays) {
        int prepared = a->prepared != 0 || a->term < 6;
        double h = renewal_hazard(s->p, a->segment, a->tier, a->term, k, a->e, a->fit, adopted, sponsor, log_price, prepared);
        stays = renewal_stays(s->key, a->entity, k, a->v, h);
        why = renewal_reason(s->p, a->e, a->fit, adopted, sponsor, log_price);
    }
    a->k = k;
    if (!stays) {
        by_segment(s, a->segment, S_RENEWALS_LOST, 1);
        churn(w, s, i, t, why);
        return;
    }
    renew(w, s, i, t, k, rise, given);
}

static void advocacy(State *s, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->e <= s->p[at_advocacy_level] || a->stage != ev_ADOPTED) {
        a->above_since = -1;
        a->advocate = 0;
        return;
    }
    if (a->above_since < 0) a->above_since = t;
    if (!a->advocate && t - a->above_since >= s->p[at_advocacy_days] * clock_DAY) a->advocate = 1;
}

static void on_review(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->review_at != t || !a->alive) return;
    int64_t n = a->reviews;
    a->reviews = n + 1;
    engage(s, i, t);
    if (a->rest_of != s->count[CHANGES]) {
        a->rest = engagement_rest(s->p, a->segment, a->fit, a->ttv_days);
        a->rest_of = s->count[CHANGES];
    }
    a->e += monthly_movement(s->p, s->key, a->entity, n);
    a->score = engagement_score(s->p, s->key, a->entity, n, a->e);
    a->band = engagement_band(s->p, a->score);
    int low = a->score < s->p[at_score_inactive];
    if (a->band == engagement_RED)
        play(w, s, i, work_SAVE, t, clock_NEVER, n);
    else if (low && a->inactive)
        play(w, s, i, work_OUTREACH, t, clock_NEVER, n);
    a->inactive = low;
    advocacy(s, i, t);
    reroute(w, s, i, t);
    a->review_at = t + clock_MONTH;
    push(w, s, a->review_at, ev_REVIEW, i);
    arm_all(w, s, i, t);
}

static void on_arrival(WS, int64_t segment, int64_t t)
{
    int64_t source = w->sources[segment], n = s->sources[segment], month = s->count[MONTH];
    double envelope = w->envelope[segment], *multiplier = &s->multiplier[segment * 2];
    s->sources[segment] = n + 1;
    push(w, s, t + arrival_gap(s->key, source, n + 1, envelope), ev_ARRIVAL, segment);
    if (multiplier[0] != month) {
        multiplier[0] = month;
        multiplier[1] = month_multiplier(s->p, s->key, source, month);
    }
    double wave = multiplier[1];
    if (s->p[at_arrival_word_of_mouth] > 0.0) {
        double lost = s->mood[0] * exp(-(t - s->mood[1]) / clock_YEAR);
        wave *= word_of_mouth(s->p, lost, s->mood[2]);
    }
    if (accepted(s->p, s->key, source, n, segment, w->plan[segment * w->plan_n[1] + month], wave, envelope))
        new_account(w, s, future_entity(source, n), segment, t, 0.0);
}

static void on_lead(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->lead_at != t) return;
    a->lead_at = clock_NEVER;
    uint64_t entity = referral_entity(a->entity, s->spells[i * risk_RISKS + risk_REFERRAL]);
    new_account(w, s, entity, a->segment, t, s->p[at_referral_fit_bonus]);
}

static void on_stall(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->stall_at == t && a->alive && a->stage == ev_ONBOARDING) {
        a->stall_at = clock_NEVER;
        by_segment(s, a->segment, S_STALLED, 1);
        shift(s, i, t, -s->p[at_onboarding_stall_shock]);
        play(w, s, i, work_RESCUE, t, clock_NEVER, 0);
    }
}

static void on_notice(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->notice_at == t && a->alive) {
        a->notice_at = clock_NEVER;
        play(w, s, i, work_PREP, t, a->term_end, a->k);
    }
}

static void on_campaign(WS, int64_t c, int64_t t)
{
    int64_t n = s->sends[c];
    s->sends[c] = n + 1;
    push(w, s, t + minutes(s->p[at_campaign_every + c]), ev_CAMPAIGN, c);
    if (s->p[at_campaign_on + c] < 0.5) return;
    for (int64_t tier = 0; tier < s->tiers_n[1]; tier++)
        if (s->p[at_campaign_tier + tier * at_CAMPAIGNS + c] > 0.5) {
            by_tier(s, tier, R_CAMPAIGN_COST, (int64_t)(s->p[at_campaign_cost + c] * 100.0 + 0.5));
            break;
        }
    for (int64_t i = 0; i < s->count[N_ACCOUNTS]; i++) {
        ACCOUNT *a = &s->accounts[i];
        if (a->alive && s->p[at_campaign_tier + a->tier * at_CAMPAIGNS + c] > 0.5)
            if (reached(s->p, s->key, a->entity ^ w->campaign_key[c], n, c))
                shift(s, i, t, s->p[at_campaign_lift + c] * a->response);
    }
}

static void on_ticket(WS, int64_t i, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    if (a->ticket_at != t || !a->alive) return;
    a->ticket_at = clock_NEVER;
    a->ticket_n += 1;
    by_segment(s, a->segment, S_TICKETS, 1);
    if (t - a->spike_from > 30 * clock_DAY) {
        a->spike_from = t;
        a->spike_n = 0;
    }
    a->spike_n += 1;
    if (a->spike_n == (int64_t)s->p[at_ticket_spike + a->tier] + 1) play(w, s, i, work_SAVE, t, clock_NEVER, a->ticket_n);
    int64_t k = w->work_of_role[work_TICKET];
    if (k < 0 || !raise_item(w, s, i, k, t, clock_NEVER, a->ticket_n)) next_ticket(w, s, i, t);
}

static void on_due(WS, int64_t x, int64_t t)
{
    int64_t i = account_of(s, x), k = work_of(s, x);
    ITEM *item = &s->items[x];
    ACCOUNT *a = &s->accounts[i];
    if (item->next_due != t || !a->alive) return;
    item->next_due = clock_NEVER;
    if (s->p[at_touch_cadence + a->tier * at_WORK + k] > 0.0) raise_item(w, s, i, k, t, clock_NEVER, t);
}

static void handle(WS, int64_t t, int64_t kind, int64_t number)
{
    switch (kind) {
    case ev_DISPATCH: dispatch(w, s, number, t); break;
    case ev_SERVICE_END: end_service(w, s, number, t); break;
    case ev_DUE: on_due(w, s, numbered(s, number), t); break;
    case ev_DEADLINE: deadline(w, s, numbered(s, number), t); break;
    case ev_REVIEW: on_review(w, s, number, t); break;
    case ev_RISK: on_risk(w, s, number, t); break;
    case ev_ARRIVAL: on_arrival(w, s, number, t); break;
    case ev_TERM_END: on_term_end(w, s, number, t); break;
    case ev_NOTICE: on_notice(w, s, number, t); break;
    case ev_FIRST_VALUE:
        if (s->accounts[number].first_value_at == t && s->accounts[number].alive) reach_value(w, s, number, t);
        break;
    case ev_STALL: on_stall(w, s, number, t); break;
    case ev_TICKET: on_ticket(w, s, number, t); break;
    case ev_OVERFLOW: overflow(w, s, numbered(s, number), t); break;
    case ev_CAMPAIGN: on_campaign(w, s, number, t); break;
    case ev_LEAD: on_lead(w, s, number, t); break;
    case ev_REACTIVATION:
        if (s->accounts[number].back_at == t) come_back(w, s, number, t);
        break;
    case ev_SEAT_REVIEW:
        if (s->seats[number].review_at == t && s->seats[number].state > 0) review(w, s, number, t);
        break;
    case ev_SEAT_LEAVES:
        if (s->seats[number].leaves_at == t && s->seats[number].state > 0) go(w, s, number, t);
        break;
    case ev_SEAT_ARRIVES:
        if (s->seats[number].arrives_at == t && s->seats[number].state == 0) fill(w, s, number, t);
        break;
    case ev_REASSIGN: reassign(w, s, number, t); break;
    case ev_LEVER: on_lever(w, s, number, t); break;
    case ev_MONTH_END: close_month(w, s, t); break;
    }
}

static void clear(State *s)
{
    for (int64_t j = 0; j < s->count_n[0]; j++) s->count[j] = 0;
    while ((int64_t)1 << s->count[ROOM_BITS] < s->accounts_n[0]) s->count[ROOM_BITS] += 1;
    clear_events(s);
    for (int64_t j = 0; j < s->roots_n[0]; j++) s->roots[j] = -1;
    for (int64_t j = 0; j < s->idle_first_n[0]; j++) s->idle_first[j] = s->idle_last[j] = -1;
    for (int64_t j = 0; j < s->sends_n[0]; j++) s->sends[j] = 0;
    for (int64_t j = 0; j < 3; j++) s->mood[j] = 0.0;
    for (int64_t j = 0; j < s->sources_n[0]; j++) {
        s->sources[j] = 0;
        s->multiplier[j * 2] = -1.0;
    }
}

static void plan_seat(WS, int64_t seat)
{
    SEAT *x = &s->seats[seat], *plan = &w->seats[seat];
    x->state = 0;
    x->serves = x->incumbent = -1;
    x->accounts = x->no_backfill = x->leaving = x->mark = 0;
    x->orphans_at = x->arrives_at = x->leaves_at = x->review_at = clock_NEVER;
    if (plan->arrives_at <= 0)
        arrive(w, s, seat, 0, people_LONG_AGO);
    else {
        x->arrives_at = plan->arrives_at;
        push(w, s, plan->arrives_at, ev_SEAT_ARRIVES, seat);
    }
}

static void begin(WS, const double *row, int64_t length, uint64_t seed, uint64_t run)
{
    memcpy(s->p, row, length * sizeof(double));
    s->key[0] = seed;
    s->key[1] = run;
    clear(s);
    for (int64_t month = 1; month < w->months_n[0]; month++) push_key(s, w->months[month], (uint64_t)w->months[month] << 37);
    for (int64_t r = 0; r < w->levers_n[0]; r++) push(w, s, w->levers[r].at, ev_LEVER, r);
    for (int64_t seat = 0; seat < s->seats_n[0]; seat++) plan_seat(w, s, seat);
    compare_alike(w, s);
    for (int64_t o = 0; o < w->opening_n[0]; o++) open_account(w, s, o);
    for (int64_t segment = 0; segment < w->plan_n[0]; segment++)
        if (w->envelope[segment] > 0.0)
            push(w, s, arrival_gap(s->key, w->sources[segment], 0, w->envelope[segment]), ev_ARRIVAL, segment);
    for (int64_t c = 0; c < w->n_campaigns; c++) push(w, s, minutes(s->p[at_campaign_every + c]), ev_CAMPAIGN, c);
}

/* Runs every row of parameters; returns the number of runs that came to their end. The cubes hold one run after another. */
int64_t simulate(const World *w, State *s, const double *rows, int64_t runs, uint64_t seed, int64_t first_run,
                 int64_t *segments, int64_t *teams, int64_t *tiers)
{
    int64_t n_segments = s->segments_n[0] * s->segments_n[1] * s->segments_n[2];
    int64_t n_teams = s->teams_n[0] * s->teams_n[1] * s->teams_n[2];
    int64_t n_tiers = s->tiers_n[0] * s->tiers_n[1] * s->tiers_n[2];
    for (int64_t j = 0; j < runs; j++) {
        memset(s->segments, 0, n_segments * sizeof(int64_t));
        memset(s->teams, 0, n_teams * sizeof(int64_t));
        memset(s->tiers, 0, n_tiers * sizeof(int64_t));
        begin(w, s, rows + j * at_LENGTH, at_LENGTH, seed, first_run + j);
        while (s->count[N_EVENTS] > 0 && s->count[STATUS] == ev_OK) {
            uint64_t key = pop(s);
            s->count[N_HANDLED] += 1;
            handle(w, s, key >> 37, (key >> 32) & 31, key & 0xFFFFFFFF);
        }
        if (s->count[STATUS] != ev_OK) return j;
        memcpy(segments + j * n_segments, s->segments, n_segments * sizeof(int64_t));
        memcpy(teams + j * n_teams, s->teams, n_teams * sizeof(int64_t));
        memcpy(tiers + j * n_tiers, s->tiers, n_tiers * sizeof(int64_t));
    }
    return runs;
}
