/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Maps of a client's memory: ends, neighbours, overlaps, and every question about every span of a
 * small world, after thousands of changes, against a model that knows each address by itself.
 */
#include "proxy/relay/dma_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

static struct dma_maps maps;

static void open_maps(void)
{
    dma_maps_init(&maps);
}

static void close_maps(void)
{
    dma_maps_deinit(&maps);
}

/* ---- spans ---- */

START_TEST(spans_end_where_addresses_do)
{
    static const struct {
        uint64_t address, size;
        bool good;
        uint64_t last;
    } cases[] = {
        {0, 0, false, 0},
        {0, 1, true, 0},
        {5, 3, true, 7},
        {UINT64_MAX, 0, false, 0},
        {UINT64_MAX, 1, true, UINT64_MAX},
        {UINT64_MAX, 2, false, 0},
        {1, UINT64_MAX, true, UINT64_MAX},
        {2, UINT64_MAX, false, 0},
        {0, UINT64_MAX, true, UINT64_MAX - 1},
        {UINT64_MAX - 4095, 4096, true, UINT64_MAX},
        {UINT64_MAX - 4095, 4097, false, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dma_span s = {7, 9};

        ck_assert_int_eq(dma_span_of(cases[i].address, cases[i].size, &s), cases[i].good);
        ck_assert_uint_eq(s.first, cases[i].good ? cases[i].address : 7);
        ck_assert_uint_eq(s.last, cases[i].good ? cases[i].last : 9);
    }
}
END_TEST

/* ---- single questions ---- */

static void add(uint64_t first, uint64_t last, uint32_t flags)
{
    const struct dma_map map = {.span = {first, last}, .flags = flags, .passed = true};

    ck_assert_int_eq(dma_maps_add(&maps, &map), 0);
}

static bool reads(uint64_t first, uint64_t last)
{
    return dma_maps_allow(&maps, (struct dma_span){first, last}, WIRE_DMA_READABLE);
}

static bool writes(uint64_t first, uint64_t last)
{
    return dma_maps_allow(&maps, (struct dma_span){first, last}, WIRE_DMA_WRITEABLE);
}

START_TEST(an_access_may_span_neighbours_of_its_kind)
{
    add(0x1000, 0x1fff, WIRE_DMA_READABLE);
    add(0x3000, 0x3fff, WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE);
    add(0x2000, 0x2fff, WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE);
    add(0x5000, 0x5fff, WIRE_DMA_WRITEABLE);
    ck_assert(reads(0x1000, 0x3fff));
    ck_assert(reads(0x1fff, 0x2000));
    ck_assert(!reads(0x0fff, 0x1000));
    ck_assert(!reads(0x3fff, 0x4000));
    ck_assert(!reads(0x3fff, 0x5000));
    ck_assert(!reads(0x5000, 0x5000));
    ck_assert(writes(0x2000, 0x3fff));
    ck_assert(!writes(0x1fff, 0x2000));
    ck_assert(writes(0x5000, 0x5fff));
    ck_assert(!writes(0x5000, 0x6000));
}
END_TEST

START_TEST(the_first_and_the_last_address)
{
    add(UINT64_MAX, UINT64_MAX, WIRE_DMA_READABLE);
    add(0, 0, WIRE_DMA_READABLE);
    ck_assert(reads(0, 0));
    ck_assert(reads(UINT64_MAX, UINT64_MAX));
    ck_assert(!reads(0, 1));
    ck_assert(!reads(UINT64_MAX - 1, UINT64_MAX));
    ck_assert(!reads(0, UINT64_MAX));
    add(0, UINT64_MAX, WIRE_DMA_READABLE);
    ck_assert(reads(0, UINT64_MAX));
    ck_assert(!writes(0, 0));
    /* What more there is than a number says does not make it begin anew. */
    ck_assert_uint_eq(dma_maps_passed(&maps), UINT64_MAX);
}
END_TEST

START_TEST(what_is_near)
{
    struct dma_span s;

    ck_assert(!dma_maps_near(&maps, 0x1000, WIRE_DMA_READABLE, &s));
    add(0x1000, 0x1fff, WIRE_DMA_READABLE);
    add(0x2000, 0x2fff, WIRE_DMA_READABLE);
    add(0x8000, 0x8fff, WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE);
    ck_assert(dma_maps_near(&maps, 0, WIRE_DMA_READABLE, &s));
    ck_assert(s.first == 0x1000 && s.last == 0x2fff);
    ck_assert(dma_maps_near(&maps, 0x1fff, WIRE_DMA_READABLE, &s));
    ck_assert(s.first == 0x1000 && s.last == 0x2fff);
    ck_assert(dma_maps_near(&maps, 0x7fff, WIRE_DMA_READABLE, &s));
    ck_assert(s.first == 0x2000 && s.last == 0x2fff);
    ck_assert(dma_maps_near(&maps, UINT64_MAX, WIRE_DMA_READABLE, &s));
    ck_assert(s.first == 0x8000 && s.last == 0x8fff);
    ck_assert(dma_maps_near(&maps, 0x1000, WIRE_DMA_WRITEABLE, &s));
    ck_assert(s.first == 0x8000 && s.last == 0x8fff);
}
END_TEST

START_TEST(one_of_two_that_are_the_same_is_removed)
{
    const struct dma_map map = {.span = {4, 7}, .flags = WIRE_DMA_READABLE, .passed = true};
    struct dma_map other = map;

    add(4, 7, WIRE_DMA_READABLE);
    add(4, 7, WIRE_DMA_READABLE);
    other.span.last = 8;
    ck_assert(!dma_maps_remove(&maps, &other));
    other = map;
    other.flags = WIRE_DMA_WRITEABLE;
    ck_assert(!dma_maps_remove(&maps, &other));
    other = map;
    other.passed = false;
    ck_assert(!dma_maps_remove(&maps, &other));
    ck_assert_uint_eq(dma_maps_passed(&maps), 8);
    ck_assert(dma_maps_remove(&maps, &map));
    ck_assert(reads(4, 7));
    ck_assert_uint_eq(dma_maps_passed(&maps), 4);
    ck_assert(dma_maps_remove(&maps, &map));
    ck_assert(!reads(4, 7));
    ck_assert(!dma_maps_remove(&maps, &map));
    ck_assert_uint_eq(dma_maps_passed(&maps), 0);
}
END_TEST

START_TEST(what_was_mapped_later_stays)
{
    struct dma_map map = {.span = {0x1000, 0x2fff}, .flags = WIRE_DMA_READABLE, .passed = true};

    for (map.number = 1; map.number <= 4; map.number++) {
        ck_assert_int_eq(dma_maps_add(&maps, &map), 0);
    }
    dma_maps_unmap(&maps, (struct dma_span){0x1800, 0x1fff}, 3);
    /* Two have become four, and two are as they were. */
    ck_assert_uint_eq(maps.n, 6);
    ck_assert(reads(0x1000, 0x2fff));
    dma_maps_unmap(&maps, (struct dma_span){0, UINT64_MAX}, 4);
    ck_assert_uint_eq(maps.n, 1);
    ck_assert_uint_eq(dma_maps_passed(&maps), 0x2000);
    ck_assert(reads(0x1000, 0x2fff));
    dma_maps_unmap(&maps, (struct dma_span){0x1800, 0x1fff}, 5);
    ck_assert(reads(0x1000, 0x17ff) && reads(0x2000, 0x2fff));
    ck_assert(!reads(0x17ff, 0x1800) && !reads(0x1fff, 0x2000));
}
END_TEST

/* ---- all questions ---- */

#define WORLD 20u
#define MOST 12u

/* A map of the model: which addresses of the world it has. */
struct model_map {
    uint32_t mask;
    uint32_t flags;
    bool passed;
};

static struct model_map model[MOST];
static size_t model_n;
static uint64_t base; /* of the world */

static uint32_t mask_of(unsigned first, unsigned last)
{
    return (uint32_t)(((UINT64_C(2) << last) - 1) & ~((UINT64_C(1) << first) - 1));
}

static void expect_all_answers(void)
{
    uint64_t passed = 0;

    for (size_t i = 0; i < model_n; i++) {
        passed += model[i].passed ? (unsigned)__builtin_popcount(model[i].mask) : 0;
    }
    ck_assert_uint_eq(dma_maps_passed(&maps), passed);
    for (uint32_t flag = WIRE_DMA_READABLE; flag <= WIRE_DMA_WRITEABLE; flag <<= 1) {
        uint32_t all = 0;

        for (size_t i = 0; i < model_n; i++) {
            all |= model[i].flags & flag ? model[i].mask : 0;
        }
        for (unsigned first = 0; first < WORLD; first++) {
            for (unsigned last = first; last < WORLD; last++) {
                const uint32_t wanted = mask_of(first, last);
                const struct dma_span s = {base + first, base + last};

                if (dma_maps_allow(&maps, s, flag) != ((all & wanted) == wanted)) {
                    ck_abort_msg("%u to %u, flag %u: not so", first, last, flag);
                }
            }
        }
    }
}

static uint32_t dice;

/* One of n, the same in every run. */
static unsigned roll(unsigned n)
{
    dice = dice * 1664525u + 1013904223u;
    return (dice >> 16) % n;
}

static void change_add(unsigned first, unsigned last)
{
    const struct model_map m = {mask_of(first, last), roll(4), roll(2) == 1};
    const struct dma_map map = {{base + first, base + last}, m.flags, m.passed, 0};

    if (model_n < MOST) {
        ck_assert_int_eq(dma_maps_add(&maps, &map), 0);
        model[model_n++] = m;
    }
}

static void change_unmap(unsigned first, unsigned last)
{
    dma_maps_unmap(&maps, (struct dma_span){base + first, base + last}, 1);
    for (size_t i = 0; i < model_n; i++) {
        model[i].mask &= ~mask_of(first, last);
        if (model[i].mask == 0) {
            model[i--] = model[--model_n];
        }
    }
}

/* Whether the model's map has these addresses, and neither the one before nor the one behind. */
static bool has_run(const struct model_map *m, uint32_t mask)
{
    const uint32_t around = (mask << 1 | mask >> 1) & ~mask;

    return (m->mask & mask) == mask && (m->mask & around) == 0;
}

static void change_remove(void)
{
    const uint64_t address = base + roll(WORLD);
    const struct dma_map *const found =
        dma_maps_find(&maps, (struct dma_span){address, address}, UINT64_MAX);
    struct dma_map map;
    uint32_t mask;

    if (!found) {
        return;
    }
    map = *found;
    mask = mask_of((unsigned)(map.span.first - base), (unsigned)(map.span.last - base));
    ck_assert(dma_maps_remove(&maps, &map));
    for (size_t i = 0; i < model_n; i++) {
        if (has_run(&model[i], mask) && model[i].flags == map.flags &&
            model[i].passed == map.passed) {
            model[i].mask &= ~mask;
            if (model[i].mask == 0) {
                model[i] = model[--model_n];
            }
            return;
        }
    }
    ck_abort_msg("a map that nobody has added");
}

START_TEST(no_more_maps_than_may_share_an_address)
{
    const struct dma_map one_more = {.span = {0x5000, 0x8fff}, .flags = WIRE_DMA_READABLE};
    const struct dma_map beside = {.span = {0x6000, 0x8fff}, .flags = WIRE_DMA_READABLE};

    /* Ever larger ones: none of their ends lies in another. */
    for (uint64_t i = 0; i < LIMIT_DMA_OVERLAP; i++) {
        add(0x5000 - i, 0x5fff + i, WIRE_DMA_READABLE);
    }
    ck_assert_int_eq(dma_maps_add(&maps, &one_more), -ENOSPC);
    ck_assert_uint_eq(maps.n, LIMIT_DMA_OVERLAP);
    ck_assert_int_eq(dma_maps_add(&maps, &beside), 0);
}
END_TEST

/* A client that maps the same memory again and again and cuts holes into it gets no more maps than
 * may be. */
START_TEST(holes_in_the_same_memory_do_not_add_up)
{
    const uint64_t page = 4096;

    for (size_t i = 0; i < LIMIT_DMA_OVERLAP; i++) {
        add(0, 10000 * page - 1, WIRE_DMA_READABLE);
    }
    for (uint64_t i = 1; i < 9998; i += 2) {
        dma_maps_unmap(&maps, (struct dma_span){i * page, (i + 1) * page - 1}, 1);
        ck_assert_uint_le(maps.n, LIMIT_DMA_MAPS);
        ck_assert(reads(0, page - 1));
        ck_assert(!reads(i * page, i * page));
    }
    ck_assert_uint_eq(maps.n, LIMIT_DMA_MAPS);
}
END_TEST

/* ---- many ---- */

#define PAGES 4096u

static struct {
    uint8_t reads[PAGES];
    uint8_t writes[PAGES];
    uint8_t all[PAGES];
} pages;

static void pages_change(const struct dma_map *map, int more)
{
    for (uint64_t i = map->span.first; i <= map->span.last; i++) {
        pages.reads[i] = (uint8_t)(pages.reads[i] + (map->flags & WIRE_DMA_READABLE ? more : 0));
        pages.writes[i] = (uint8_t)(pages.writes[i] + (map->flags & WIRE_DMA_WRITEABLE ? more : 0));
        pages.all[i] = (uint8_t)(pages.all[i] + more);
    }
}

static unsigned pages_deepest(struct dma_span s)
{
    unsigned most = 0;

    for (uint64_t i = s.first; i <= s.last; i++) {
        most = pages.all[i] > most ? pages.all[i] : most;
    }
    return most;
}

static void pages_add(struct dma_span s)
{
    const struct dma_map map = {.span = s, .flags = roll(4), .passed = true};
    const unsigned deepest = pages_deepest(s);
    const int err = dma_maps_add(&maps, &map);

    if (err == 0) {
        ck_assert_uint_lt(deepest, LIMIT_DMA_OVERLAP);
        pages_change(&map, 1);
    } else {
        /* Those that end where others begin are counted with them. */
        ck_assert_int_eq(err, -ENOSPC);
        ck_assert_uint_ge(2 * deepest + 1, LIMIT_DMA_OVERLAP);
    }
}

static void pages_remove(uint64_t page)
{
    const struct dma_span s = {page, page};
    const struct dma_map *const found = dma_maps_find(&maps, s, UINT64_MAX);

    ck_assert_int_eq(found != NULL, pages.all[page] > 0);
    if (found) {
        const struct dma_map map = *found;

        ck_assert(dma_maps_remove(&maps, &map));
        pages_change(&map, -1);
    }
}

static void pages_unmap(struct dma_span s)
{
    const size_t n = s.last - s.first + 1;

    dma_maps_unmap(&maps, s, 1);
    memset(pages.reads + s.first, 0, n);
    memset(pages.writes + s.first, 0, n);
    memset(pages.all + s.first, 0, n);
}

static bool pages_all(const uint8_t *depth, struct dma_span s)
{
    return memchr(depth + s.first, 0, s.last - s.first + 1) == NULL;
}

START_TEST(thousands_of_maps_at_once)
{
    memset(&pages, 0, sizeof pages);
    dice = 42;
    for (int i = 0; i < 20000; i++) {
        const uint64_t first = roll(PAGES);
        const uint64_t most = roll(8) ? 4 : 400;
        const uint64_t last = first + roll((unsigned)most);
        const struct dma_span s = {first, last < PAGES ? last : PAGES - 1};

        switch (roll(8)) {
        case 0:
            pages_unmap(s);
            break;
        case 1:
        case 2:
            pages_remove(first);
            break;
        default:
            pages_add(s);
        }
        ck_assert_int_eq(reads(s.first, s.last), pages_all(pages.reads, s));
        ck_assert_int_eq(writes(s.first, s.last), pages_all(pages.writes, s));
    }
    ck_assert_uint_gt(maps.n, 100);
}
END_TEST

START_TEST(every_span_after_every_change)
{
    static const uint64_t bases[] = {0, 0x100000000, UINT64_MAX - (WORLD - 1)};

    base = bases[_i];
    model_n = 0;
    dice = 4711;
    for (int i = 0; i < 2000; i++) {
        const unsigned a = roll(WORLD);
        const unsigned b = roll(WORLD);
        const unsigned first = a < b ? a : b;
        const unsigned last = a < b ? b : a;

        switch (roll(4)) {
        case 0:
        case 1:
            change_add(first, last);
            break;
        case 2:
            change_unmap(first, last);
            break;
        default:
            change_remove();
        }
        expect_all_answers();
    }
    dma_maps_unmap(&maps, (struct dma_span){0, UINT64_MAX}, 1);
    ck_assert_uint_eq(maps.n, 0);
    model_n = 0;
    expect_all_answers();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dma_map");
    TCase *tc = unit_case(s, "maps");

    tcase_add_checked_fixture(tc, open_maps, close_maps);
    tcase_add_test(tc, spans_end_where_addresses_do);
    tcase_add_test(tc, an_access_may_span_neighbours_of_its_kind);
    tcase_add_test(tc, the_first_and_the_last_address);
    tcase_add_test(tc, what_is_near);
    tcase_add_test(tc, one_of_two_that_are_the_same_is_removed);
    tcase_add_test(tc, what_was_mapped_later_stays);
    tcase_add_test(tc, no_more_maps_than_may_share_an_address);
    tcase_add_test(tc, holes_in_the_same_memory_do_not_add_up);
    tcase_add_loop_test(tc, every_span_after_every_change, 0, 3);
    tcase_add_test(tc, thousands_of_maps_at_once);
    return unit_run(s);
}
