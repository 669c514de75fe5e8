/* Event list, desks, counters and work items: port of heap.py, desk.py, book.py and work.py (without the trace). */

/* A call that every compiled function makes: the world, the state. */
#define WS const World *w, State *s

/* book.py */

INLINE void by_segment(State *s, int64_t segment, int64_t metric, int64_t amount)
{
    s->segments[(s->count[MONTH] * s->segments_n[1] + segment) * s->segments_n[2] + metric] += amount;
}

INLINE void by_team(State *s, int64_t team, int64_t metric, int64_t amount)
{
    s->teams[(s->count[MONTH] * s->teams_n[1] + team) * s->teams_n[2] + metric] += amount;
}

INLINE void by_tier(State *s, int64_t tier, int64_t metric, int64_t amount)
{
    s->tiers[(s->count[MONTH] * s->tiers_n[1] + tier) * s->tiers_n[2] + metric] += amount;
}

/* item.py */

INLINE int64_t item_of(State *s, int64_t i, int64_t work) { return work << s->count[ROOM_BITS] | i; }

INLINE int64_t account_of(State *s, int64_t x) { return x & (s->accounts_n[0] - 1); }

INLINE int64_t work_of(State *s, int64_t x) { return x >> s->count[ROOM_BITS]; }

INLINE int64_t number_of(State *s, int64_t x) { return account_of(s, x) * at_WORK + work_of(s, x); }

INLINE int64_t numbered(State *s, int64_t number) { return item_of(s, number / at_WORK, number % at_WORK); }

/* heap.py */

INLINE void sift_up(uint64_t *now, int64_t n, uint64_t key)
{
    while (n > 0) {
        int64_t up = (n - 1) >> 1;
        if (now[up] <= key) break;
        now[n] = now[up];
        n = up;
    }
    now[n] = key;
}

INLINE void sift_down(uint64_t *now, int64_t n, uint64_t key)
{
    int64_t hole = 0, child = 1;
    while (child < n) {
        if (child + 1 < n && now[child + 1] < now[child]) child += 1;
        if (now[child] >= key) break;
        now[hole] = now[child];
        hole = child;
        child = 2 * hole + 1;
    }
    now[hole] = key;
}

static void push_key(State *s, int64_t t, uint64_t key)
{
    int64_t *count = s->count, bucket = t >> BUCKET_BITS;
    if (bucket <= count[BUCKET]) {
        int64_t n = count[N_NOW];
        if (n >= s->now_n[0]) {
            count[STATUS] = ev_HEAP_FULL;
            return;
        }
        count[N_NOW] = n + 1;
        sift_up(s->now, n, key);
    } else {
        int64_t x = count[FREE];
        if (x >= 0)
            count[FREE] = s->later[x].after;
        else {
            x = count[N_LATER];
            if (x >= s->later_n[0]) {
                count[STATUS] = ev_HEAP_FULL;
                return;
            }
            count[N_LATER] = x + 1;
        }
        s->later[x].key = key;
        s->later[x].after = s->buckets[bucket];
        s->buckets[bucket] = x;
    }
    count[N_EVENTS] += 1;
}

INLINE void push(WS, int64_t t, uint64_t kind, uint64_t number)
{
    if (t < w->months[w->months_n[0] - 1]) push_key(s, t, ((uint64_t)t << 37) | (kind << 32) | number);
}

INLINE void push_dispatch(State *s, int64_t t, int64_t team)
{
    if (s->count[ASKED] >> team & 1) return;
    s->count[ASKED] |= (int64_t)1 << team;
    s->count[ASKED_AT] = t;
    s->count[N_EVENTS] += 1;
}

INLINE uint64_t pop_dispatch(State *s)
{
    uint64_t team = 0;
    while (!(s->count[ASKED] >> team & 1)) team += 1;
    s->count[ASKED] ^= (int64_t)1 << team;
    s->count[N_EVENTS] -= 1;
    return ((uint64_t)s->count[ASKED_AT] << 37) | ((uint64_t)ev_DISPATCH << 32) | team;
}

INLINE int is_over(State *s, uint64_t key)
{
    return (key >> 32 & 31) == ev_DEADLINE && s->items[numbered(s, key & 0xFFFFFFFF)].state != 1;
}

static void open_bucket(State *s)
{
    int64_t *count = s->count;
    while (count[N_NOW] == 0) {
        int64_t bucket = count[BUCKET] + 1, x = s->buckets[bucket];
        count[BUCKET] = bucket;
        s->buckets[bucket] = -1;
        while (x >= 0) {
            EVENT *event = &s->later[x];
            int64_t n = count[N_NOW], after = event->after;
            uint64_t key = event->key;
            if (is_over(s, key))
                count[N_EVENTS] -= 1;
            else {
                if (n >= s->now_n[0]) {
                    count[STATUS] = ev_HEAP_FULL;
                    return;
                }
                count[N_NOW] = n + 1;
                sift_up(s->now, n, key);
            }
            event->after = count[FREE];
            count[FREE] = x;
            x = after;
        }
    }
}

INLINE uint64_t pop(State *s)
{
    int64_t *count = s->count;
    if (count[N_NOW] == 0) open_bucket(s);
    uint64_t *now = s->now, top = now[0];
    if (count[ASKED] && top >> 37 > (uint64_t)count[ASKED_AT]) return pop_dispatch(s);
    int64_t n = count[N_NOW] - 1;
    count[N_NOW] = n;
    count[N_EVENTS] -= 1;
    if (n > 0) sift_down(now, n, now[n]);
    return top;
}

static void clear_events(State *s)
{
    for (int64_t b = 0; b < s->buckets_n[0]; b++) s->buckets[b] = -1;
    s->count[BUCKET] = 0;
    s->count[FREE] = -1;
    s->count[N_LATER] = 0;
    s->count[N_NOW] = 0;
    s->count[N_EVENTS] = 0;
    s->count[ASKED] = 0;
}

/* desk.py */

INLINE int precedes(State *s, int64_t x, int64_t y)
{
    int64_t rank_x = s->items[x].rank, rank_y = s->items[y].rank;
    if (rank_x != rank_y) return rank_x < rank_y;
    int64_t i = account_of(s, x), j = account_of(s, y);
    return i < j || (i == j && x < y);
}

static int64_t merge(State *s, int64_t a, int64_t b)
{
    if (a < 0) return b;
    if (b < 0) return a;
    if (precedes(s, b, a)) {
        int64_t swap = a;
        a = b, b = swap;
    }
    int64_t root = a;
    for (;;) {
        int64_t right = s->items[a].right;
        s->items[a].right = s->items[a].left;
        if (right >= 0 && precedes(s, b, right)) {
            int64_t swap = right;
            right = b, b = swap;
        }
        if (right < 0) {
            s->items[a].left = b;
            s->items[b].parent = a;
            break;
        }
        s->items[a].left = right;
        s->items[right].parent = a;
        a = right;
    }
    return root;
}

static void join(State *s, int64_t desk, int64_t x)
{
    ITEM *item = &s->items[x];
    item->left = -1;
    item->right = -1;
    item->desk = desk;
    s->waiting[account_of(s, x)] += 1;
    int64_t root = merge(s, s->roots[desk], x);
    s->roots[desk] = root;
    s->items[root].parent = -1;
}

static void leave(State *s, int64_t x)
{
    ITEM *item = &s->items[x];
    int64_t rest = merge(s, item->left, item->right), parent = item->parent;
    if (rest >= 0) s->items[rest].parent = parent;
    if (parent < 0)
        s->roots[item->desk] = rest;
    else if (s->items[parent].left == x)
        s->items[parent].left = rest;
    else
        s->items[parent].right = rest;
    item->desk = -1;
    s->waiting[account_of(s, x)] -= 1;
}

/* work.py */

INLINE int64_t team_of(State *s, int64_t desk) { return desk >= at_TEAMS ? s->seats[desk - at_TEAMS].team : desk; }

INLINE int64_t work_team(const World *w, int64_t tier, int64_t work) { return w->work_team[tier * w->work_team_n[1] + work]; }

INLINE int has_owners(const World *w, int64_t tier)
{
    return w->coverage[tier] == ev_NAMED || w->coverage[tier] == ev_HYBRID;
}

INLINE void ask_dispatch(State *s, int64_t team, int64_t t)
{
    if (s->idle_first[team] >= 0) push_dispatch(s, t, team);
}

INLINE int64_t desk_of(WS, int64_t i, int64_t team)
{
    ACCOUNT *a = &s->accounts[i];
    return a->owner >= 0 && team == w->tier_team[a->tier] && has_owners(w, a->tier) ? at_TEAMS + a->owner : team;
}

static void queue(WS, int64_t i, int64_t x, int64_t team, int64_t t)
{
    int64_t desk = desk_of(w, s, i, team), tier = s->accounts[i].tier;
    ITEM *item = &s->items[x];
    join(s, desk, x);
    item->overflow = clock_NEVER;
    if (desk >= at_TEAMS && w->coverage[tier] == ev_HYBRID) {
        item->overflow = most(t, item->raised + minutes(s->p[at_coverage_overflow + tier]));
        push(w, s, item->overflow, ev_OVERFLOW, number_of(s, x));
    }
    ask_dispatch(s, team, t);
}

static double hours_scale(State *s, int64_t work)
{
    double shape = s->p[at_work_hours_shape + work], *known = &s->hours_scale[2 * work];
    if (known[0] != shape) {
        known[0] = shape;
        known[1] = scale_of_mean(shape);
    }
    return known[1];
}

static int raise_item(WS, int64_t i, int64_t work, int64_t t, int64_t latest, int64_t tag)
{
    ACCOUNT *a = &s->accounts[i];
    int64_t x = item_of(s, i, work), team = work_team(w, a->tier, work);
    ITEM *item = &s->items[x];
    if (item->state != 0 || team < 0) return 0;
    int64_t n = item->n, role = w->work_role[work];
    item->n = n + 1;
    uint64_t who = a->entity ^ w->work_key[work];
    if (role == work_ONBOARDING)
        item->minutes = work_left(s->p, s->key, a->entity, a->segment, a->fit, team, a->start);
    else
        item->minutes = item_minutes(s->p, s->key, who, n, work, hours_scale(s, work));
    int64_t due_at = least(work_due(s->p, t, work), latest), policy = work_policy(s->p, work);
    item->rank = work_rank(s->p, work, a->tier, due_at, t);
    item->raised = t;
    item->state = 1;
    item->tag = tag;
    item->lapses = clock_NEVER;
    if (policy != work_WAIT) {
        item->lapses = least(work_lapses(s->p, s->key, who, n, work, t, due_at), latest);
        if (policy != work_SQUEEZE) push(w, s, item->lapses, ev_DEADLINE, number_of(s, x));
    }
    by_team(s, team, T_ITEMS_DEMANDED, 1);
    by_team(s, team, T_MINUTES_DEMANDED, item->minutes);
    if (role == work_CALENDAR) by_tier(s, a->tier, R_TOUCHES_DUE, 1);
    queue(w, s, i, x, team, t);
    return 1;
}

static void next_touch(WS, int64_t i, int64_t work, int64_t t)
{
    ITEM *item = &s->items[item_of(s, i, work)];
    int64_t cadence = minutes(s->p[at_touch_cadence + s->accounts[i].tier * at_WORK + work]);
    if (cadence > 0) {
        item->next_due = most(item->tag + cadence, t);
        push(w, s, item->next_due, ev_DUE, i * at_WORK + work);
    }
}

static void cancel(WS, int64_t i, int64_t work)
{
    int64_t x = item_of(s, i, work);
    ITEM *item = &s->items[x];
    int64_t team = team_of(s, item->desk);
    leave(s, x);
    item->state = 0;
    by_team(s, team, T_ITEMS_CANCELLED, 1);
    by_team(s, team, T_MINUTES_CANCELLED, item->minutes);
}

static void move_items(WS, int64_t i, int64_t t)
{
    int64_t tier = s->accounts[i].tier;
    for (int64_t work = 0; work < w->n_work; work++) {
        int64_t x = item_of(s, i, work);
        ITEM *item = &s->items[x];
        if (item->state != 1) continue;
        int64_t old = team_of(s, item->desk), team = work_team(w, tier, work);
        if (team != old) cancel(w, s, i, work);
        if (team >= 0) {
            if (team == old)
                leave(s, x);
            else {
                item->state = 1;
                by_team(s, team, T_ITEMS_DEMANDED, 1);
                by_team(s, team, T_MINUTES_DEMANDED, item->minutes);
            }
            queue(w, s, i, x, team, t);
        }
    }
}
