/* Seats, service and month ends: port of idle.py, people.py, service.py and month.py (without the trace). */

/* idle.py */

static void stand_by(State *s, int64_t seat, int64_t t)
{
    SEAT *x = &s->seats[seat];
    x->state = 1;
    x->idle_since = t;
    int64_t before = s->idle_last[x->team];
    while (before >= 0 && before > seat && s->seats[before].idle_since == t) before = s->seats[before].idle_before;
    x->idle_before = before;
    if (before >= 0) {
        x->idle_after = s->seats[before].idle_after;
        s->seats[before].idle_after = seat;
    } else {
        x->idle_after = s->idle_first[x->team];
        s->idle_first[x->team] = seat;
    }
    if (x->idle_after >= 0)
        s->seats[x->idle_after].idle_before = seat;
    else
        s->idle_last[x->team] = seat;
}

static void stand_down(State *s, int64_t seat)
{
    SEAT *x = &s->seats[seat];
    if (x->idle_before >= 0)
        s->seats[x->idle_before].idle_after = x->idle_after;
    else
        s->idle_first[x->team] = x->idle_after;
    if (x->idle_after >= 0)
        s->seats[x->idle_after].idle_before = x->idle_before;
    else
        s->idle_last[x->team] = x->idle_before;
}

/* people.py */

#define NOT_AGAIN 1e300

static void book_time(State *s, int64_t seat, int64_t t)
{
    SEAT *x = &s->seats[seat];
    if (x->state > 0) {
        by_team(s, x->team, T_AVAILABLE_MINUTES, t - x->mark);
        if (x->state == 2) {
            by_team(s, x->team, T_BUSY_MINUTES, t - x->mark);
            x->busy += t - x->mark;
        }
    }
    x->mark = t;
}

static void hand_over(WS, int64_t i, int64_t new, int64_t t)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t old = a->owner;
    if (old >= 0) {
        shift(s, i, t, -s->p[at_handover_shock]);
        s->seats[old].accounts -= 1;
    }
    s->seats[new].accounts += 1;
    a->owner = new;
    a->since = t;
    if (old == new) return;
    for (int64_t k = 0; k < w->n_work; k++) {
        int64_t x = item_of(s, i, k);
        if (old >= 0 && s->items[x].state == 1 && s->items[x].desk == at_TEAMS + old) {
            leave(s, x);
            join(s, at_TEAMS + new, x);
        }
    }
}

static void review(WS, int64_t seat, int64_t t)
{
    SEAT *x = &s->seats[seat];
    book_time(s, seat, t);
    double cap = s->p[at_overtime_cap + x->team] * 60.0, share = cap > 0.0 ? x->overtime / cap : 0.0;
    double rate = leave_rate(s->p, x->team, (double)x->busy / clock_MONTH, share);
    x->busy = 0;
    x->overtime = 0;
    x->review_at = t + clock_MONTH;
    push(w, s, x->review_at, ev_SEAT_REVIEW, seat);
    int64_t when = risk_look_ahead(&x->threshold, rate, t, x->review_at);
    if (when != clock_NEVER) {
        x->threshold = NOT_AGAIN;
        x->leaves_at = when;
        push(w, s, when, ev_SEAT_LEAVES, seat);
    }
}

static void arrive(WS, int64_t seat, int64_t t, int64_t since)
{
    SEAT *x = &s->seats[seat];
    x->incumbent += 1;
    x->since = since;
    x->mark = t;
    x->serves = -1;
    x->leaving = 0;
    x->arrives_at = clock_NEVER;
    x->leaves_at = clock_NEVER;
    x->busy = 0;
    x->overtime = 0;
    x->threshold = risk_threshold(s->key, purposes_SEAT_LEAVES, person_entity(x->team_key, x->number, x->incumbent), 0);
    stand_by(s, seat, t);
    review(w, s, seat, t);
}

static void vacate(WS, int64_t seat, int64_t t)
{
    SEAT *x = &s->seats[seat];
    book_time(s, seat, t);
    stand_down(s, seat);
    x->state = 0;
    x->leaving = 0;
    x->leaves_at = clock_NEVER;
    x->orphans_at = t + minutes(s->p[at_handover_delay]);
    by_team(s, x->team, T_LEAVERS, 1);
    push(w, s, x->orphans_at, ev_REASSIGN, seat);
    if (s->p[at_seat_backfill + x->team] > 0.5 && !x->no_backfill) {
        x->arrives_at = t + minutes(s->p[at_seat_hiring_lag + x->team]);
        push(w, s, x->arrives_at, ev_SEAT_ARRIVES, seat);
    }
}

static void go(WS, int64_t seat, int64_t t)
{
    if (s->seats[seat].state == 2)
        s->seats[seat].leaving = 1;
    else
        vacate(w, s, seat, t);
}

static void level(WS, int64_t seat, int64_t t)
{
    int64_t team = s->seats[seat].team, present = 0, accounts = 0;
    for (int64_t other = w->team_from[team]; other < w->team_from[team + 1]; other++)
        if (s->seats[other].state > 0) {
            present += 1;
            accounts += s->seats[other].accounts;
        }
    int64_t share = accounts / present;
    for (int64_t i = 0; i < s->count[N_ACCOUNTS] && s->seats[seat].accounts < share; i++) {
        int64_t owner = s->accounts[i].owner;
        if (owner >= 0 && owner != seat && s->seats[owner].team == team && s->seats[owner].accounts > share)
            hand_over(w, s, i, seat, t);
    }
}

static void fill(WS, int64_t seat, int64_t t)
{
    arrive(w, s, seat, t, t);
    int64_t team = s->seats[seat].team;
    by_team(s, team, T_HIRES, 1);
    for (int64_t i = 0; i < s->count[N_ACCOUNTS]; i++) {
        ACCOUNT *a = &s->accounts[i];
        if (!a->alive || w->tier_team[a->tier] != team || !has_owners(w, a->tier)) continue;
        if (a->owner < 0)
            own(w, s, i, t);
        else if (a->owner == seat)
            hand_over(w, s, i, seat, t);
        else if (s->seats[a->owner].state == 0 && s->seats[a->owner].orphans_at <= t)
            hand_over(w, s, i, least_loaded(w, s, team), t);
    }
    level(w, s, seat, t);
    ask_dispatch(s, team, t);
}

static void reassign(WS, int64_t seat, int64_t t)
{
    SEAT *x = &s->seats[seat];
    if (x->state > 0 || x->orphans_at != t) return;
    for (int64_t i = 0; i < s->count[N_ACCOUNTS]; i++)
        if (s->accounts[i].alive && s->accounts[i].owner == seat) {
            int64_t new = least_loaded(w, s, x->team);
            if (new >= 0) hand_over(w, s, i, new, t);
        }
    ask_dispatch(s, x->team, t);
}

static void dismiss(WS, int64_t team, int64_t seats, int64_t t)
{
    int64_t seat = w->team_from[team + 1];
    while (seats > 0 && seat > w->team_from[team]) {
        SEAT *x = &s->seats[--seat];
        if (x->incumbent < 0 || x->no_backfill) continue;
        x->no_backfill = 1;
        seats -= 1;
        if (x->state == 0)
            x->arrives_at = clock_NEVER;
        else
            go(w, s, seat, t);
    }
}

/* service.py */

INLINE int64_t candidate(State *s, int64_t seat)
{
    int64_t own = s->roots[at_TEAMS + seat], pool = s->roots[s->seats[seat].team];
    if (own < 0) return pool;
    if (pool < 0) return own;
    return precedes(s, own, pool) ? own : pool;
}

INLINE double pace_of(State *s, int64_t seat, int64_t t)
{
    SEAT *x = &s->seats[seat];
    int64_t phase = x->phase >= 0 ? x->phase : minutes(s->p[at_seat_ramp_days + x->team]);
    return people_pace(s->p, x->team, x->since, t, phase);
}

static void plan_value(WS, int64_t i, int64_t team, int64_t t, int64_t lasts)
{
    ACCOUNT *a = &s->accounts[i];
    double behind = days_behind(s->p, s->key, a->entity, a->segment, a->fit, team, a->start);
    a->first_value_at = first_value_at(s->p, t, lasts, customer_delay(s->p, s->key, a->entity, a->segment, behind));
    push(w, s, a->first_value_at, ev_FIRST_VALUE, i);
}

static void begin_service(WS, int64_t seat, int64_t x, int64_t t)
{
    SEAT *chair = &s->seats[seat];
    ITEM *item = &s->items[x];
    int64_t i = account_of(s, x), work = work_of(s, x);
    leave(s, x);
    book_time(s, seat, t);
    stand_down(s, seat);
    chair->state = 2;
    chair->serves = x;
    item->state = 2;
    if (work_policy(s->p, work) == work_SQUEEZE && t > item->lapses) {
        int64_t brief = squeezed_minutes(s->p, item->minutes);
        by_team(s, chair->team, T_MINUTES_CANCELLED, item->minutes - brief);
        item->minutes = brief;
        item->lapses = -1;
    }
    int64_t lasts = people_service(item->minutes, pace_of(s, seat, t));
    by_team(s, chair->team, T_ITEMS_STARTED, 1);
    by_team(s, chair->team, T_WAIT_MINUTES, t - item->raised);
    if (t > item->raised) by_team(s, chair->team, T_ITEMS_WAITED, 1);
    push(w, s, t + lasts, ev_SERVICE_END, seat);
    if (w->work_role[work] == work_ONBOARDING) plan_value(w, s, i, chair->team, t, lasts);
}

static void dispatch(WS, int64_t team, int64_t t)
{
    int64_t seat = s->idle_first[team];
    while (seat >= 0) {
        int64_t after = s->seats[seat].idle_after, x = candidate(s, seat);
        if (x >= 0) begin_service(w, s, seat, x, t);
        seat = after;
    }
}

static void finish(WS, int64_t i, int64_t work, int64_t t, double gain)
{
    ITEM *item = &s->items[item_of(s, i, work)];
    ACCOUNT *a = &s->accounts[i];
    item->state = 0;
    if (!a->alive) return;
    int64_t role = w->work_role[work];
    double lift = s->p[at_work_lift + work] * gain * a->response;
    if (role == work_SAVE) {
        if (save_succeeds(s->p, s->key, a->entity, item->n)) {
            shift(s, i, t, lift);
            a->conceded = 1;
        }
        return;
    }
    if (role == work_TICKET) {
        shift(s, i, t, ticket_effect(s->p, t - item->raised <= minutes(s->p[at_ticket_target])));
        next_ticket(w, s, i, t);
        return;
    }
    shift(s, i, t, lift);
    if (role == work_CALENDAR) {
        by_tier(s, a->tier, R_TOUCHES_DONE, 1);
        next_touch(w, s, i, work, t);
    } else if (role == work_PREP) {
        if (item->tag == a->k) a->prepared = 1;
    } else if (role == work_SPONSOR) {
        if (!a->sponsor && sponsor_recovers(s->p, s->key, a->entity, item->tag)) {
            a->sponsor = 1;
            new_spell(s, i, risk_SPONSOR_LEAVES);
        }
    } else if (role == work_EXPANSION && expansion_won(s->p, s->key, a->entity, item->tag, 1))
        expand(s, i, item->tag);
}

static void end_service(WS, int64_t seat, int64_t t)
{
    SEAT *chair = &s->seats[seat];
    int64_t x = chair->serves, i = account_of(s, x);
    book_time(s, seat, t);
    chair->serves = -1;
    stand_by(s, seat, t);
    by_team(s, chair->team, T_ITEMS_DONE, 1);
    by_team(s, chair->team, T_MINUTES_SERVED, s->items[x].minutes);
    double gain = 1.0;
    ACCOUNT *a = &s->accounts[i];
    if (a->owner == seat) gain = continuity(s->p, a->since, t);
    if (s->items[x].lapses == -1) gain *= s->p[at_work_squeeze_lift];
    finish(w, s, i, work_of(s, x), t, gain);
    if (chair->leaving) vacate(w, s, seat, t);
    if (candidate(s, seat) >= 0) ask_dispatch(s, chair->team, t);
}

static void expire(WS, int64_t x, int64_t t)
{
    ITEM *item = &s->items[x];
    int64_t i = account_of(s, x), work = work_of(s, x), team = team_of(s, item->desk);
    leave(s, x);
    item->state = 0;
    by_team(s, team, T_ITEMS_EXPIRED, 1);
    by_team(s, team, T_MINUTES_EXPIRED, item->minutes);
    ACCOUNT *a = &s->accounts[i];
    int64_t role = w->work_role[work];
    if (role == work_CALENDAR) {
        by_tier(s, a->tier, R_TOUCHES_MISSED, 1);
        next_touch(w, s, i, work, t);
    } else if (role == work_ONBOARDING)
        onboard_alone(w, s, i, t);
    else if (role == work_TICKET) {
        shift(s, i, t, ticket_effect(s->p, 0));
        next_ticket(w, s, i, t);
    }
}

static int64_t overtime_seat(WS, int64_t x)
{
    ITEM *item = &s->items[x];
    int64_t desk = item->desk, team = team_of(s, desk), best = -1;
    double cap = s->p[at_overtime_cap + team] * 60.0;
    for (int64_t seat = w->team_from[team]; seat < w->team_from[team + 1]; seat++) {
        SEAT *chair = &s->seats[seat];
        if (chair->state > 0 && chair->overtime + item->minutes <= cap) {
            if (desk == at_TEAMS + seat) return seat;
            if (best < 0 || chair->overtime < s->seats[best].overtime) best = seat;
        }
    }
    return best;
}

static void deadline(WS, int64_t x, int64_t t)
{
    ITEM *item = &s->items[x];
    if (item->state != 1 || item->lapses != t) return;
    int64_t i = account_of(s, x), work = work_of(s, x);
    int64_t seat = work_policy(s->p, work) == work_OVERTIME ? overtime_seat(w, s, x) : -1;
    if (seat < 0) {
        expire(w, s, x, t);
        return;
    }
    SEAT *chair = &s->seats[seat];
    chair->overtime += item->minutes;
    leave(s, x);
    by_team(s, chair->team, T_ITEMS_STARTED, 1);
    by_team(s, chair->team, T_ITEMS_DONE, 1);
    by_team(s, chair->team, T_WAIT_MINUTES, t - item->raised);
    by_team(s, chair->team, T_ITEMS_WAITED, 1);
    by_team(s, chair->team, T_MINUTES_SERVED, item->minutes);
    by_team(s, chair->team, T_OVERTIME_MINUTES, item->minutes);
    if (w->work_role[work] == work_ONBOARDING)
        plan_value(w, s, i, chair->team, t, people_service(item->minutes, pace_of(s, seat, t)));
    finish(w, s, i, work, t, 1.0);
}

static void overflow(WS, int64_t x, int64_t t)
{
    ITEM *item = &s->items[x];
    if (item->state == 1 && item->overflow == t && item->desk >= at_TEAMS) {
        int64_t team = s->seats[item->desk - at_TEAMS].team;
        leave(s, x);
        join(s, team, x);
        ask_dispatch(s, team, t);
    }
}

/* month.py */

static void close_cohort(State *s, int64_t i, int64_t month, int64_t window)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t *then = &s->history[i * 12 + month % 12];
    int64_t *row = &s->segments[(month * s->segments_n[1] + a->segment) * s->segments_n[2]];
    if (*then > 0) {
        row[S_TTM_OPENING] += *then;
        row[S_TTM_LOGOS_OPENING] += 1;
        if (a->alive && a->lost_at < window) {
            row[S_TTM_KEPT] += least(*then, a->arr);
            row[S_TTM_NET] += a->arr;
            row[S_TTM_LOGOS_KEPT] += 1;
        }
    }
    *then = a->arr;
}

static void backlog(WS, int64_t i)
{
    int64_t counted = 0;
    if (!s->waiting[i]) return;
    for (int64_t k = 0; k < w->n_work; k++) {
        if (s->items[item_of(s, i, k)].state != 1) continue;
        int64_t team = team_of(s, s->items[item_of(s, i, k)].desk);
        by_team(s, team, T_BACKLOG_ITEMS, 1);
        if (!(counted & (1 << team))) {
            counted |= 1 << team;
            by_team(s, team, T_BACKLOG_ARR, s->accounts[i].arr);
        }
    }
}

static void close_account(WS, int64_t i, int64_t t, int64_t month)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t *row = &s->segments[(month * s->segments_n[1] + a->segment) * s->segments_n[2]];
    row[S_ARR] += a->arr;
    row[S_LOGOS] += 1;
    if (a->stage == ev_ONBOARDING) row[S_IN_ONBOARDING] += 1;
    if (a->band >= 0) row[S_SCORE_RED + a->band] += 1;
    row[S_ADVOCATES] += a->advocate;
    row[S_WITHOUT_SPONSOR] += 1 - a->sponsor;
    row[S_ENGAGEMENT_MILLI] += (int64_t)floor(engagement_at(s, i, t) * 1000.0 + 0.5);
    by_tier(s, a->tier, R_ACCOUNTS, 1);
    by_tier(s, a->tier, R_ARR, a->arr);
    if (a->owner >= 0) {
        int64_t team = s->seats[a->owner].team;
        by_team(s, team, T_ACCOUNTS, 1);
        by_team(s, team, T_ARR_OWNED, a->arr);
    }
    backlog(w, s, i);
}

static void close_month(WS, int64_t t)
{
    int64_t month = s->count[MONTH], window = month >= 11 ? w->months[month - 11] : -1, ago = 11 - month;
    if (ago > 0)
        for (int64_t segment = 0; segment < w->plan_n[0]; segment++) {
            by_segment(s, segment, S_TTM_OPENING, w->lost_history[segment * w->lost_history_n[1] + ago]);
            by_segment(s, segment, S_TTM_LOGOS_OPENING, w->lost_logos[segment * w->lost_logos_n[1] + ago]);
        }
    for (int64_t i = 0; i < s->count[N_ACCOUNTS]; i++) {
        close_cohort(s, i, month, window);
        if (s->accounts[i].alive) close_account(w, s, i, t, month);
    }
    for (int64_t seat = 0; seat < s->seats_n[0]; seat++) {
        book_time(s, seat, t);
        if (s->seats[seat].state > 0) by_team(s, s->seats[seat].team, T_SEATS, 1);
    }
    for (int64_t team = 0; team < s->teams_n[1]; team++) {
        int64_t *row = &s->teams[(month * s->teams_n[1] + team) * s->teams_n[2]];
        double cents = s->p[at_seat_cost + team] * 100.0;
        row[T_COST] = (int64_t)(row[T_AVAILABLE_MINUTES] * cents / clock_YEAR + 0.5);
    }
    s->count[MONTH] = month + 1;
}
