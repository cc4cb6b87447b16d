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

#define MONTH \
    "( jan | feb | mar | apr | may | jun | jul | aug | sep | oct | nov | dec | january | " \
    "february " \
    "| march | april | june | july | august | september | october | november | december )"
#define DATED "( ( on | ) ( mon | tue | wed | thu | fri | sat | sun ) ~2 " MONTH " ~8 | )"
#define OUR_PACKAGE "( this | the ) ( debian | ) ( package | work | packages )"
#define GNU_LICENSE "( gpl | gnu gpl | gnu general public license ( gpl | ) )"
#define GNU_VERSION "( ( version | ) $v | ) ( only | + | or later | or any later version | )"
#define FRANKLIN "( inc | ) 51 franklin ( st | street ) fifth floor boston ma 02110 1301 ( usa | )"
#define DEBIAN_PARTS \
    "( the | all ) debian ( packaging | package | ( specific | ) changes | files | support files " \
    ") ( ( is | are ) | ) ( copyright | ) ( c | ) ~16 ( and | ) ( is | are | it is | ) ( also | " \
    ") "
#define OBEY_GPL \
    "you must obey the gnu general public license in all respects for all of the code used other " \
    "than"
#define EXTEND \
    "( if you modify ( this file | files | file s ) ( with this exception | ) you may extend " \
    "this " \
    "exception to your version of the ( file | files ) but you are not obligated to do so if you " \
    "do not wish to do so delete this exception statement from your version ( if you delete this " \
    "exception statement from all source files in the program then also delete it here | ) | )"
#define NO_SECTIONS \
    "with no invariant sections ( with | ) ( and | ) no ( with no | ) frontcover texts ( with | " \
    ") and ( with | ) no backcover texts"

static const struct evidence_notice list_of_sentences[] = {
    /* the package */
    SILENT(
        "( it | " OUR_PACKAGE " ) ( was | were ) ( originally | initially | first | ) ( debianized "
        "| packaged for debian | "
        "packaged | put together | assembled | created | built | made ) ( for debian | ) by ( the "
        "| ) ~14 " DATED),
    SILENT("( ( and | it | and it ) ( was | is ) | " OUR_PACKAGE
           " ( was | is ) ) ( now | currently | previously | later | since | ) ( being | ) ( "
           "maintained | "
           "comaintained | updated | repackaged | adopted | taken over ) by ( the | ) ~24 " DATED),
    SILENT("( and | the software was | ) ( later | ) ( taken over | repackaged ) by ~14 " DATED),
    SILENT("( the | ) source http ~10"),
    SILENT("( and later | later ) updated by ( the | ) ~10"),
    SILENT("( the | ) current ( debian | ) ( package | ) ( maintainer | maintainers ) ( is | are | "
           ") ~20"),
    SILENT("this is ( the | ) ( debian | debians ) ( gnu linux | gnu linuxs | ) ( prepackaged "
           "version | packaged version | package ) ( of | for ) ( the | ) ~14"),
    SILENT("for a complete list of changes from the upstream version please see the changelog"),

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
    SILENT("( written | contributed ) by ( the | ) ~12"),
    SILENT("~2 was downloaded from ~20"),
    SILENT("see ( the | ) ( file | ) authors ( file | ) for ( more | ) ( details | a list of "
           "contributors )"),
    SILENT("some rights reserved"),
    SILENT("this is the copyright as found in the upstream sources"),
    SILENT("( the | ) ~6 ( is | are ) copyright ( c | ) ~24"),
    SILENT("the following is the mit license agreed upon by most contributors copyright holders of "
           "new code should use this license statement where possible they may also add themselves "
           "to the list below"),

    /* headings */
    SILENT("( upstream | ) ( copyright | copyrights ) ( holder | holders | ) ( c | ) ( by | ) ( "
           "the | ) ~24"),
    SILENT("( upstream | ) ( copyright and | ) ( license | licenses | license text )"),
    SILENT("( this package | this software ) is ( distributed | released ) under the following ( "
           "license | licenses )"),

    /* packaging */
    SILENT("packaging by ~8 " MONTH " ~2"),
    SILENT(
        "( this | the ) package is comaintained by the ~3 developers via the ~3 mailing list ~6"),
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
    SILENT("( on debian ( systems | ) | ) the ( complete | full ) text of ( version 1 of | ) the "
           "gnu general public license can be found in ( the | ) usr share commonlicenses gpl ( $v "
           "| ) ( file | )"),
    SILENT("on debian systems ( a copy of | ) the ( license | licenses ) ( is | are | can be ) ( "
           "located | found ) in ( the file | file | files | ) usr share commonlicenses ( gpl | "
           "lgpl ) ( $v | ) ( and usr share commonlicenses gfdl *1 | )"),
    SILENT(
        "( the | ) ~2 manuals and associated documentation are also copyright ( c | ) free "
        "software foundation inc they are distributed under the gnu free documentation license "
        "version $v or any later version published by the free software foundation " NO_SECTIONS),
    SILENT("for the documentation ( this | these | the following ) terms apply"),

    /* permissions beside a licence: it stays as it is without them */
    SILENT("( in addition | ) as a special exception ( the ( author | authors | copyright holder | "
           "copyright holders ) | ~6 ) ( of this program | ) ( give | gives ) ( you | ) permission "
           "to link the code of ( portions of | ) ( this program | its release of ~4 ) with the "
           "openssl ( projects openssl | project openssl | ) library ( under certain conditions as "
           "described in each individual source file | ) and distribute ( the | ) linked ( "
           "combinations including the two | executables ) " OBEY_GPL " openssl " EXTEND),
    SILENT("( in addition | ) as a special exception the copyright holders give permission to "
           "dynamically link rsync with the openssl and xxhash libraries when those libraries are "
           "being distributed in compliance with their license terms and to distribute a "
           "dynamically linked combination of rsync and these libraries this is also considered to "
           "be covered under the gpls system libraries exception"),
    SILENT("( in addition | ) for the avoidance of any doubt permission is granted to link this "
           "program with openssl or any other library package and to redistribute the binaries "
           "produced as the result of such linking"),
    SILENT("as a special exception you may use this file as part of a free software library "
           "without restriction specifically if other files instantiate templates or use macros or "
           "inline functions from this file or you compile this file and link it with other files "
           "to produce an executable this file does not by itself cause the resulting executable "
           "to be covered by the gnu general public license this exception does not however "
           "invalidate any other reasons why the executable file might be covered by the gnu "
           "general public license"),
    SILENT("( with the following modification | ) as a special exception the copyright holders of "
           "this library give you permission to link this library with independent modules to "
           "produce an executable regardless of the license terms of these independent modules and "
           "to copy and distribute the resulting executable under terms of your choice provided "
           "that you also meet for each linked independent module the terms and conditions of the "
           "license of that module an independent module is a module which is not derived from or "
           "based on this library if you modify this library you may extend this exception to your "
           "version of the library but you are not obligated to do so if you do not wish to do so "
           "delete this exception statement from your version"),
};

size_t evidence_notice_sentences(void)
{
    return sizeof list_of_sentences / sizeof *list_of_sentences;
}

const struct evidence_notice *evidence_notice_sentence_at(size_t index)
{
    return &list_of_sentences[index];
}
