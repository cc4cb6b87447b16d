/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Statements with a document about a file: which element of it stands for the file, and which
 * licence that has. D1 and D2 are the SHA-256 of two files, D3 that of a source archive.
 */
#include <stdio.h>
#include <string.h>

#include "base/text/hex.h"
#include "policy/evidence/evidence_statement.h"
#include "tests/support/unit.h"

#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "abababababababababababababababababababababababababababababababab"
#define D3_UPPER "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"

#define SUBJECT(digest) "{\"name\":\"x\",\"digest\":{\"sha256\":\"" digest "\"}}"
#define STATEMENT(subjects, type, predicate) \
    "{\"_type\":\"" EVIDENCE_STATEMENT_TYPE "\",\"subject\":[" subjects \
    "],\"predicateType\":\"" type "\",\"predicate\":" predicate "}"

#define SPDX_TYPE "https://spdx.dev/Document"
#define SPDX_DOC(members) \
    "{\"SPDXID\":\"SPDXRef-DOCUMENT\",\"spdxVersion\":\"SPDX-2.3\",\"creationInfo\":" \
    "{\"created\":\"2026-11-29T18:24:00Z\"}" members "}"
#define SPDX(members) STATEMENT(SUBJECT(D1), SPDX_TYPE, SPDX_DOC(members))
#define SUMS(digest) \
    ",\"checksums\":[{\"algorithm\":\"SHA1\",\"checksumValue\":\"00\"},{\"algorithm\":" \
    "\"SHA256\",\"checksumValue\":\"" digest "\"}]"
#define ELEMENT(id, licence, more) \
    "{\"SPDXID\":\"SPDXRef-" id "\",\"name\":\"x\",\"licenseConcluded\":\"" licence "\"" more "}"
#define DESCRIBES(id) \
    "{\"spdxElementId\":\"SPDXRef-DOCUMENT\",\"relationshipType\":\"DESCRIBES\"," \
    "\"relatedSpdxElement\":\"SPDXRef-" id "\"}"
#define DESCRIBED_BY(id) \
    "{\"spdxElementId\":\"SPDXRef-" id "\",\"relationshipType\":\"DESCRIBED_BY\"," \
    "\"relatedSpdxElement\":\"SPDXRef-DOCUMENT\"}"
#define FILES(list) ",\"files\":[" list "]"
#define PACKAGES(list) ",\"packages\":[" list "]"
#define RELATED(list) ",\"relationships\":[" list "]"

#define CDX_TYPE "https://cyclonedx.org/bom"
#define CDX_DOC(main_component, components) \
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"metadata\":{\"timestamp\":" \
    "\"2026-11-29T18:24:00+01:00\",\"licenses\":[{\"license\":{\"id\":\"CC0-1.0\"}}" \
    "]" main_component "},\"components\":[" components "]}"
#define CDX(main_component, components) \
    STATEMENT(SUBJECT(D1), CDX_TYPE, CDX_DOC(main_component, components))
#define COMPONENT(licences, more) "{\"type\":\"file\",\"name\":\"x\"," licences more "}"
#define MAIN(licences, more) ",\"component\":" COMPONENT(licences, more)
#define HASHES(digest) \
    ",\"hashes\":[{\"alg\":\"MD5\",\"content\":\"00\"},{\"alg\":\"SHA-256\",\"content\":\"" digest \
    "\"}]"
#define LICENCES(list) "\"licenses\":[" list "]"
#define ID(id) "{\"license\":{\"id\":\"" id "\"}}"
#define CONCLUDED(id) "{\"license\":{\"id\":\"" id "\",\"acknowledgement\":\"concluded\"}}"
#define DECLARED(id) "{\"license\":{\"id\":\"" id "\",\"acknowledgement\":\"declared\"}}"
#define EXPRESSION(text) "{\"expression\":\"" text "\"}"

static const struct {
    const char *payload;
    enum evidence_dsse outcome; /* of the subject D1 */
    const char *licence;
} documents[] = {
    /* a file or package with the SHA-256, wherever it is */
    {SPDX(FILES(ELEMENT("a", "MIT", SUMS(D1)))), EVIDENCE_DSSE_OK, "MIT"},
    {SPDX(PACKAGES(ELEMENT("a", "MIT OR ISC", SUMS(D1)))), EVIDENCE_DSSE_OK, "MIT OR ISC"},
    {SPDX(FILES(ELEMENT("a", "ISC", SUMS(D2)) "," ELEMENT("b", "MIT", SUMS(D1)))), EVIDENCE_DSSE_OK,
     "MIT"},
    {SPDX(PACKAGES(ELEMENT("a", "ISC", "")) FILES(ELEMENT("b", "MIT", SUMS(D1)))
              RELATED(DESCRIBES("a"))),
     EVIDENCE_DSSE_OK, "MIT"},
    /* both, as tools list them */
    {SPDX(PACKAGES(ELEMENT("a", "MIT", SUMS(D1))) FILES(ELEMENT("b", "NOASSERTION", SUMS(D1)))),
     EVIDENCE_DSSE_OK, "MIT"},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", SUMS(D1))) FILES(ELEMENT("b", "MIT", SUMS(D1)))),
     EVIDENCE_DSSE_OK, "MIT"},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", SUMS(D1))) FILES(ELEMENT("b", "ISC", SUMS(D1)))),
     EVIDENCE_DSSE_SEVERAL, ""},
    {SPDX(FILES(ELEMENT("a", "MIT", SUMS(D1)) "," ELEMENT("b", "ISC", SUMS(D1)) "," ELEMENT(
         "c", "ISC", SUMS(D1)))),
     EVIDENCE_DSSE_SEVERAL, ""},
    /* the only element that the document describes */
    {SPDX(PACKAGES(ELEMENT("a", "MIT", "")) RELATED(DESCRIBES("a"))), EVIDENCE_DSSE_OK, "MIT"},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", "")) RELATED(DESCRIBED_BY("a"))), EVIDENCE_DSSE_OK, "MIT"},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", "")) ",\"documentDescribes\":[\"SPDXRef-a\"]"),
     EVIDENCE_DSSE_OK, "MIT"},
    {SPDX(FILES(ELEMENT("a", "MIT", "")) RELATED(DESCRIBES("a")) ",\"documentDescribes\":["
                                                                 "\"SPDXRef-a\"]"),
     EVIDENCE_DSSE_OK, "MIT"},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", "")) RELATED(DESCRIBES("a") "," DESCRIBES("b"))),
     EVIDENCE_DSSE_NO_ELEMENT, ""},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", ""))), EVIDENCE_DSSE_NO_ELEMENT, ""},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", "")) RELATED(DESCRIBES("b"))), EVIDENCE_DSSE_NO_ELEMENT, ""},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", SUMS(D3))) RELATED(DESCRIBES("a"))),
     EVIDENCE_DSSE_OTHER_ELEMENT, ""},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", SUMS("xyz"))) RELATED(DESCRIBES("a"))),
     EVIDENCE_DSSE_OTHER_ELEMENT, ""},
    {SPDX(""), EVIDENCE_DSSE_NO_ELEMENT, ""},
    /* … of which two subjects cannot be the same */
    {STATEMENT(SUBJECT(D1) "," SUBJECT(D2), SPDX_TYPE,
               SPDX_DOC(PACKAGES(ELEMENT("a", "MIT", "")) RELATED(DESCRIBES("a")))),
     EVIDENCE_DSSE_NO_ELEMENT, ""},
    /* its licence */
    {SPDX(PACKAGES(ELEMENT("a", "NOASSERTION", SUMS(D1) ",\"licenseDeclared\":\"ISC\""))),
     EVIDENCE_DSSE_OK, "ISC"},
    {SPDX(PACKAGES(ELEMENT("a", "MIT", SUMS(D1) ",\"licenseDeclared\":\"ISC\""))), EVIDENCE_DSSE_OK,
     "MIT"},
    {SPDX(PACKAGES("{\"SPDXID\":\"SPDXRef-a\",\"licenseDeclared\":\"ISC\"" SUMS(D1) "}")),
     EVIDENCE_DSSE_OK, "ISC"},
    {SPDX(PACKAGES(ELEMENT("a", "NOASSERTION", SUMS(D1) ",\"licenseDeclared\":\"NOASSERTION\""))),
     EVIDENCE_DSSE_NO_ASSERTION, ""},
    {SPDX(PACKAGES(ELEMENT("a", "NONE", SUMS(D1)))), EVIDENCE_DSSE_OK, "NONE"},
    {SPDX(PACKAGES(ELEMENT("a", "", SUMS(D1)))), EVIDENCE_DSSE_NO_LICENCE, ""},
    {SPDX(FILES("7,{\"checksums\":{}},{\"checksums\":[7,{\"algorithm\":7}]}," ELEMENT("a", "MIT",
                                                                                      SUMS(D1)))),
     EVIDENCE_DSSE_OK, "MIT"},

    {CDX(MAIN(LICENCES(ID("MIT")), HASHES(D1)), ""), EVIDENCE_DSSE_OK, "MIT"},
    {CDX(MAIN(LICENCES(EXPRESSION("MIT OR ISC")), ""), ""), EVIDENCE_DSSE_OK, "MIT OR ISC"},
    {CDX(MAIN(LICENCES(ID("ISC")), HASHES(D3)), COMPONENT(LICENCES(ID("MIT")), HASHES(D1))),
     EVIDENCE_DSSE_OK, "MIT"},
    {CDX(MAIN(LICENCES(ID("ISC")), ""), COMPONENT(LICENCES(ID("MIT")), HASHES(D1))),
     EVIDENCE_DSSE_OK, "MIT"},
    {CDX("", COMPONENT(LICENCES(ID("MIT")), "")), EVIDENCE_DSSE_NO_ELEMENT, ""},
    {CDX(MAIN(LICENCES(ID("ISC")), HASHES(D3)), ""), EVIDENCE_DSSE_OTHER_ELEMENT, ""},
    {CDX("",
         COMPONENT(LICENCES(ID("MIT")), HASHES(D1)) "," COMPONENT(LICENCES(ID("ISC")), HASHES(D1))),
     EVIDENCE_DSSE_SEVERAL, ""},
    /* the licence of the document itself is not that of the component */
    {CDX(MAIN("\"version\":\"1\"", HASHES(D1)), ""), EVIDENCE_DSSE_NO_ASSERTION, ""},
    {CDX(MAIN(LICENCES(""), HASHES(D1)), ""), EVIDENCE_DSSE_NO_ASSERTION, ""},
    {CDX(MAIN(LICENCES("{\"license\":{\"name\":\"MIT\"}}"), HASHES(D1)), ""),
     EVIDENCE_DSSE_NAMED_LICENCE, ""},
    {CDX(MAIN(LICENCES(ID("MIT") "," ID("ISC")), HASHES(D1)), ""), EVIDENCE_DSSE_SEVERAL_LICENCES,
     ""},
    {CDX(MAIN(LICENCES(DECLARED("ISC") "," CONCLUDED("MIT")), HASHES(D1)), ""), EVIDENCE_DSSE_OK,
     "MIT"},
    {CDX(MAIN(LICENCES(CONCLUDED("MIT") "," DECLARED("ISC") "," DECLARED("0BSD")), HASHES(D1)), ""),
     EVIDENCE_DSSE_OK, "MIT"},
    {CDX(MAIN(LICENCES(CONCLUDED("MIT") "," CONCLUDED("ISC")), HASHES(D1)), ""),
     EVIDENCE_DSSE_SEVERAL_LICENCES, ""},
    {CDX(MAIN(LICENCES("7"), HASHES(D1)), ""), EVIDENCE_DSSE_NO_ASSERTION, ""},
};

static struct evidence_claim claim;

START_TEST(the_element_of_the_file_has_its_licence)
{
    const char *payload = documents[_i].payload;

    ck_assert_int_eq(evidence_statement_read(&claim, payload, strlen(payload)), EVIDENCE_DSSE_OK);
    ck_assert_int_eq(claim.subjects[0].outcome, documents[_i].outcome);
    ck_assert_str_eq(claim.subjects[0].licence, documents[_i].licence);
    ck_assert_uint_eq(claim.issued, 20261129);
    ck_assert_uint_eq(claim.expires, 0);
}
END_TEST

START_TEST(each_subject_has_a_licence_of_its_own)
{
    static const char payload[] =
        STATEMENT(SUBJECT(D1) "," SUBJECT(D2) "," SUBJECT(D3), CDX_TYPE "/v1.6",
                  CDX_DOC(MAIN(LICENCES(ID("ISC")), ""),
                          COMPONENT(LICENCES(ID("MIT")), HASHES(D1)) "," COMPONENT(
                              LICENCES(ID("0BSD")), HASHES(D3_UPPER))));

    ck_assert_int_eq(evidence_statement_read(&claim, payload, strlen(payload)), EVIDENCE_DSSE_OK);
    ck_assert_int_eq(claim.predicate, EVIDENCE_PREDICATE_CYCLONEDX);
    ck_assert_uint_eq(claim.n_subjects, 3);
    ck_assert_str_eq(claim.subjects[0].licence, "MIT");
    ck_assert_int_eq(claim.subjects[1].outcome, EVIDENCE_DSSE_NO_ELEMENT);
    ck_assert_str_eq(claim.subjects[2].licence, "0BSD");
}
END_TEST

static const struct {
    const char *payload;
    enum evidence_dsse outcome;
} types[] = {
    {STATEMENT(SUBJECT(D1), SPDX_TYPE "/v2", SPDX_DOC("")), EVIDENCE_DSSE_OK},
    {STATEMENT(SUBJECT(D1), SPDX_TYPE "/v2.3", SPDX_DOC("")), EVIDENCE_DSSE_OK},
    {STATEMENT(SUBJECT(D1), SPDX_TYPE "/v20", SPDX_DOC("")), EVIDENCE_DSSE_OTHER_CLAIM},
    {STATEMENT(SUBJECT(D1), SPDX_TYPE "/v3", SPDX_DOC("")), EVIDENCE_DSSE_OTHER_CLAIM},
    {STATEMENT(SUBJECT(D1), SPDX_TYPE "s", SPDX_DOC("")), EVIDENCE_DSSE_OTHER_CLAIM},
    {STATEMENT(SUBJECT(D1), SPDX_TYPE, "{\"spdxVersion\":\"SPDX-3.0\"}"),
     EVIDENCE_DSSE_NO_DOCUMENT},
    {STATEMENT(SUBJECT(D1), SPDX_TYPE, "[]"), EVIDENCE_DSSE_NO_DOCUMENT},
    {STATEMENT(SUBJECT(D1), CDX_TYPE, SPDX_DOC("")), EVIDENCE_DSSE_NO_DOCUMENT},
    {STATEMENT(SUBJECT(D1), CDX_TYPE, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"2.0\"}"),
     EVIDENCE_DSSE_NO_DOCUMENT},
    {STATEMENT("", CDX_TYPE, CDX_DOC("", "")), EVIDENCE_DSSE_NO_SUBJECT},
};

START_TEST(other_types_and_documents_are_not_read)
{
    const char *payload = types[_i].payload;

    ck_assert_int_eq(evidence_statement_read(&claim, payload, strlen(payload)), types[_i].outcome);
}
END_TEST

/* A document without a date, or with a malformed one, has no day of issue. */
START_TEST(a_malformed_date_of_a_document_is_no_date)
{
    static const char *const dates[] = {"", "2026", "yesterday", "2026-02-30T00:00:00Z"};

    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        char payload[512];

        snprintf(payload, sizeof payload,
                 STATEMENT(SUBJECT(D1), SPDX_TYPE,
                           "{\"spdxVersion\":\"SPDX-2.2\",\"creationInfo\":{\"created\":\"%s\"}}"),
                 dates[i]);
        ck_assert_int_eq(evidence_statement_read(&claim, payload, strlen(payload)),
                         EVIDENCE_DSSE_OK);
        ck_assert_uint_eq(claim.issued, 0);
    }
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    Suite *s = suite_create("evidence_statement");
    TCase *tc = unit_case(s, "documents");

    tcase_add_loop_test(tc, the_element_of_the_file_has_its_licence, 0, COUNT(documents));
    tcase_add_test(tc, each_subject_has_a_licence_of_its_own);
    tcase_add_loop_test(tc, other_types_and_documents_are_not_read, 0, COUNT(types));
    tcase_add_test(tc, a_malformed_date_of_a_document_is_no_date);
    return unit_run(s);
}
