/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The sentences around the notices in copyright files that have no fields: who packaged it, when,
 * from where, and the licences of packaging and manuals, which are in no executable. Constant data.
 *
 * Most come from the templates of dh_make. They grant and restrict nothing: a gap in them is one
 * for names alone ("~12"), so that no word of a licence is lost in it.
 */
#include "policy/evidence/debian/evidence_notice.h"

#define SILENT(words) \
    { \
        EVIDENCE_NOTICE_SILENT, "", words \
    }

#define DATED \
    "( ( on | ) ( mon | tue | wed | thu | fri | sat | sun ) ~2 ( jan | feb | mar | apr | may | " \
    "jun | jul | aug | sep | oct | nov | dec | january | february | march | april | june | july " \
    "| august | september | october | november | december ) ~8 | )"
#define OUR_PACKAGE "( this | the ) ( debian | ) ( package | work | packages )"
#define GNU_LICENSE "( gpl | gnu gpl | gnu general public license ( gpl | ) )"
#define GNU_VERSION "( ( version | ) $v | ) ( only | + | or later | or any later version | )"
#define FRANKLIN "( inc | ) 51 franklin ( st | street ) fifth floor boston ma 02110 1301 ( usa | )"
#define DEBIAN_PARTS \
    "( the | all ) debian ( packaging | package | ( specific | ) changes | files | support files " \
    ") ( ( is | are ) | ) ( copyright | ) ( c | ) ~16 ( and | ) ( is | are | it is | ) ( also | " \
    ") "
#define NO_SECTIONS \
    "with no invariant sections ( with | ) ( and | ) no ( with no | ) frontcover texts ( with | " \
    ") and ( with | ) no backcover texts"

static const struct evidence_notice list_of_sentences[] = {
    /* the package */
    SILENT(
        OUR_PACKAGE
        " ( was | were ) ( originally | initially | first | ) ( debianized | packaged for debian | "
        "packaged | put together | assembled | created | built | made ) ( for debian | ) by ( the "
        "| ) ~14 " DATED),
    SILENT("( ( and | it | and it ) ( was | is ) | " OUR_PACKAGE
           " ( was | is ) ) ( now | currently | later | since | ) ( being | ) ( maintained | "
           "comaintained | updated | repackaged | adopted | taken over ) by ( the | ) ~24 " DATED),
    SILENT("( and | the software was | ) ( later | ) ( taken over | repackaged ) by ~14 " DATED),
    SILENT("( the | ) source http ~10"),
    SILENT("( and later | later ) updated by ( the | ) ~10"),
    SILENT("( the | ) current ( debian | ) ( package | ) ( maintainer | maintainers ) ( is | are | "
           ") ~20"),
    SILENT("this is ( the | ) ( debian | debians ) ( gnu linux | gnu linuxs | ) ( prepackaged "
           "version | package ) ( of | for ) ~14"),

    /* its sources */
    SILENT("( it | " OUR_PACKAGE
           " | the ( source | sources ) | ) ( was | were | is | has been | ) ( can be | ) ( "
           "downloaded | obtained ) from ~20"),
    SILENT("( from sources | from the sources ) ( which i | ) ( obtained | downloaded | ) ( from | "
           "at ) ~20"),
    SILENT(
        "( the | ) ( upstream | original | ) ( source | sources ) ( for this package | ) ( can be "
        "found | is available | are available | may be found ) ( at | from ) ~20"),
    SILENT("( ( this packages | ) upstream | ) ( homepage | website ) ( is | at | ) ~10"),
    SILENT("( upstream | original | main | current | ) ( author | authors | maintainer | "
           "maintainers | developer | developers | contributor | contributors ) ( and copyright | "
           ") ( holder | holders | ) ( is | are | include | ) ~60"),
    SILENT("written by ( the | ) ~12"),
    SILENT("see ( the | ) ( file | ) authors ( file | ) for ( more | ) ( details | a list of "
           "contributors )"),
    SILENT("some rights reserved"),

    /* headings */
    SILENT("( upstream | ) ( copyright | copyrights ) ( holder | holders | ) ( c | ) ( by | ) ( "
           "the | ) ~24"),
    SILENT("( upstream | ) ( copyright and | ) ( license | licenses | license text )"),
    SILENT("( this package | this software ) is ( distributed | released ) under the following ( "
           "license | licenses )"),

    /* packaging */
    SILENT(DEBIAN_PARTS
           "( licensed | distributed | released | covered ) ( under | by ) ( the terms of | "
           ") ( the | ) " GNU_LICENSE " " GNU_VERSION
           " ( see above | see ( the file | ) usr share commonlicenses gpl ( $v | ) | )"),
    SILENT(DEBIAN_PARTS
           "( licensed | distributed | released ) under the same ( license | terms ) as ( upstream "
           "| the package itself | the software itself | ~2 )"),
    SILENT(DEBIAN_PARTS
           "( licensed | distributed | released ) under ( the | ) apache ( license | ) ( version | "
           ") 2.0 ( see usr share commonlicenses apache 2.0 | )"),
    SILENT(DEBIAN_PARTS "( put | placed | released | ) ( into | in | to ) the public domain"),

    /* manuals */
    SILENT("permission is granted to copy distribute and or modify this document under the terms "
           "of the gnu free documentation license ( version $v | ) ( or any later version | ) "
           "published by the "
           "free software foundation " NO_SECTIONS
           " ( a copy of the license is included in the section entitled gnu free documentation "
           "license | )"),
    SILENT(
        "( this | the ) ( documentation | manual | manuals ) ( is | are ) ( also | ) distributed "
        "under the terms of the gnu free documentation license ( fdl | ) ( version | ) $v ( or any "
        "later version | )"),
    SILENT(
        "on debian ( gnu linux | ) systems ( a copy of | ) the ( complete | full | ) ( text | "
        "texts ) of the ( gfdl | gnu fdl | gnu free documentation license ) ( $v | ) can be found "
        "in ( the file | ) usr share commonlicenses gfdl ( $v | )"),

    /* where the licences are */
    SILENT(
        "a copy of the " GNU_LICENSE " is ( also | ) available at ( url | ) http www gnu org ( "
        "copyleft | licenses ) gpl html ( you may also obtain it by writing to the free software "
        "foundation " FRANKLIN " | )"),
    SILENT("you should have received a copy of the " GNU_LICENSE
           " with your debian ( gnu linux | ) system in usr share commonlicenses gpl or with the "
           "debian ( gnu linux | ) ~3 source package as the file copying if not write to the free "
           "software foundation " FRANKLIN),
    SILENT("( if not | ) write to ( the | ) free software foundation " FRANKLIN),
    SILENT("on debian systems ( a copy of | ) the ( license | licenses ) ( is | are | can be ) ( "
           "located | found ) in ( the file | file | ) usr share commonlicenses ( gpl | lgpl ) ( "
           "$v | )"),
};

size_t evidence_notice_sentences(void)
{
    return sizeof list_of_sentences / sizeof *list_of_sentences;
}

const struct evidence_notice *evidence_notice_sentence_at(size_t index)
{
    return &list_of_sentences[index];
}
