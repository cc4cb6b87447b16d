/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The well-known notices. Constant data.
 *
 * The words are those of the licences and of the notices that they recommend, as authors use them.
 * An addition is welcome if every word of it is known, and its name is one of SPDX's or Debian's.
 */
#include "policy/evidence/debian/evidence_notice.h"

/* ---- BSD and its relatives ---- */

#define BSD_GRANT \
    "redistribution and use ( of this software | ) in source and binary forms ( of *4 | ) with " \
    "or without ( modification | modifications ) ( are | is ) ( hereby | ) permitted provided " \
    "that the following conditions are met "
#define BSD_SOURCE \
    "redistributions of source code must retain ( the | any | ) ( above | existing | ) copyright " \
    "( notice | notices ) ( unmodified | immediately at the beginning of the file without " \
    "modification | ) ( and | ) ( the | this ) list of conditions and the following " \
    "( disclaimer | disclaimers ) ( with the distribution | in this position and unchanged | ) "
#define BSD_BINARY \
    "( redistribution | redistributions ) in binary form must reproduce ( the | ) ( above | ) " \
    "copyright ( notice | notices ) ( this list of conditions and the following " \
    "( disclaimer | disclaimers ) | ) in the documentation and or ( other | ) ( materials | " \
    "material ) provided with the distribution "
#define BSD_NAME \
    "( and | ) ( neither the name ( of | ) *24 | neither name of *24 | neither the names of *24 " \
    "| " \
    "none of the names of *20 | the name ( of | ) *20 | my name | the names ( of | ) *20 | " \
    "neither *20 ) " \
    "( may | must | can | shall ) ( not | ) be used to endorse or promote products derived from " \
    "this software without ( specific | ) ( prior written | written prior | written | prior ) " \
    "permission ( from *16 | of *16 | ) "
#define BSD_ADVERTISING \
    "all advertising materials mentioning features or use of this software must display the " \
    "following ( acknowledgment | acknowledgments ) this product includes software developed by " \
    "*40 "
#define BSD_ADVERTISING_UC \
    "all advertising materials mentioning features or use of this software must display the " \
    "following acknowledgment this product includes software developed by the university of " \
    "california berkeley and its contributors "
#define BSD_DISCLAIMER \
    "this ( software | material | file | library | program | product | code ) is provided " \
    "( by *20 | ) as is and ( without | ) any ( express | expressed ) or implied ( warranties | " \
    "warranty ) including but not limited to ( the | ) implied ( warranties | warranty ) of " \
    "merchantability ( and | or ) fitness for a particular purpose ( are | is ) ( hereby | ) " \
    "disclaimed in no event ( shall | will ) *24 be liable for any direct indirect incidental " \
    "special exemplary or consequential damages including but not limited to procurement of " \
    "substitute goods or services loss of use data or profits or business interruption however " \
    "caused and on any theory of liability whether in contract strict liability or tort " \
    "including negligence or otherwise arising in any way out of the use of this ( software | " \
    "material | file | library | program | product | code ) even if advised of the possibility " \
    "of such ( damage | damages )"
#define ALTERNATIVELY_GPL \
    "( alternatively ( provided that this notice is retained in full | ) this *3 may be " \
    "distributed under the terms of the gnu general public license ( gpl | ) ( version $v | ) " \
    "( as published by the free software foundation | ) ( in which case the provisions of the " \
    "( gnu | ) gpl ( apply | are required ) instead of ( those given above | the above " \
    "restrictions ) | ) ( this clause is necessary due to a potential ( conflict | bad " \
    "interaction ) between the ( gnu | ) gpl and the restrictions contained in a bsdstyle " \
    "copyright | ) | ) "

/* ---- MIT, ISC and the historical permissions ---- */

#define MIT_GRANT \
    "permission is hereby granted free of charge to any person obtaining a copy of this software " \
    "( and ( associated | accompanying ) documentation ( files | file ) | ) ( the software | ) " \
    "to " \
    "deal in the software without restriction including without limitation ( of | on | ) the " \
    "rights to use " \
    "copy modify merge publish distribute ( distribute with modifications | ) ( sublicense | ) " \
    "and or sell copies of the software and to permit persons to whom the software is ( " \
    "furnished " \
    "| ) to do so "
#define MIT_CONDITION \
    "subject to the following conditions the above copyright notice and this permission notice " \
    "( including the next paragraph | ) shall be included in all copies or substantial portions " \
    "of the software "
#define MIT_DISCLAIMER \
    "the software is provided as is without warranty of any kind express or implied including " \
    "but not limited to the warranties of merchantability fitness for a particular purpose " \
    "( title | ) and ( noninfringement | non infringement ) ( of third party rights | ) in no " \
    "event shall *24 be liable for any claim ( or any special indirect or consequential damages " \
    "or any | ) damages or other liability whether in an action of contract tort or otherwise " \
    "arising from out of or in connection with the software or the use or ( other | ) dealings " \
    "in the software"
#define MIT_NAME \
    " except as contained in this notice the ( name | names ) of *20 shall not be used in " \
    "advertising or otherwise to promote the sale use or other dealings in this software without " \
    "( specific | ) prior written authorization ( from ( the | ) ~5 | )"
#define ISC_GRANT \
    "permission to use copy modify ( and | and or ) distribute this software ( and its " \
    "documentation | ) for any purpose with or without fee is hereby granted provided that the " \
    "above copyright notice and this permission notice appear in all copies "
#define ISC_DISCLAIMER \
    "the software is provided as is and *12 ( disclaims | disclaim ) all warranties with regard " \
    "to this software including all implied warranties of merchantability and fitness in no " \
    "event shall *12 be liable for any special direct indirect or consequential damages or any " \
    "damages whatsoever resulting from loss of use data or profits whether in an action of " \
    "contract negligence or other tortious action arising out of or in connection with the use " \
    "or performance of this software"
#define HPND_GRANT \
    "permission to use copy modify ( and | ) distribute ( and sell | and sell copies of | ) this " \
    "software ( and its documentation | and ( its | ) documentation | ) for any purpose ( and | " \
    "with or ) without fee is hereby granted provided that the above copyright notice " \
    "( appear | appears ) in all copies and that both ( that | the ) copyright notice and this " \
    "permission notice appear in supporting documentation "
#define HPND_NAME \
    "and that ( the name ( of | ) | the names of ) *16 not be used in advertising or publicity " \
    "pertaining " \
    "to distribution of the ( document or | ) software without specific ( written prior | prior " \
    "written | prior ) permission "
#define HPND_REPRESENTS \
    "*10 ( makes | make ) no ( representations | representation ) about the suitability of this " \
    "software for any purpose it is provided as is without ( any | ) express or implied warranty"
#define HPND_DISCLAIMS \
    "*12 ( disclaims | disclaim ) all warranties with regard to this software including all " \
    "implied warranties of merchantability and fitness ( for a particular purpose | ) in no " \
    "event " \
    "shall *12 be liable for any special ( direct | ) indirect or consequential damages or any " \
    "damages whatsoever resulting " \
    "from loss of use data or profits whether in an action of contract negligence or other " \
    "tortious action arising out of or in connection with the use or performance of this software"

#define HPND_SELL_GRANT \
    "permission to use copy modify distribute and sell this ( software | documentation ) ( and " \
    "its documentation | ) for any purpose is hereby granted without fee provided that the above " \
    "copyright notice ( appear | appears ) in all copies and that both that copyright notice and " \
    "this permission notice appear in supporting documentation "

#define UNICODE_GRANT \
    "( for terms of use see http www unicode org terms of use html | ) ( distributed under the " \
    "terms of use in http www unicode org copyright html | ) permission is hereby granted free " \
    "of charge to any person obtaining a copy of the unicode data files and any associated " \
    "documentation the data files or unicode software and any associated documentation the " \
    "software to deal in the data files or software without restriction including without " \
    "limitation the rights to use copy modify merge publish distribute and or sell copies of the " \
    "data files or software and to permit persons to whom the data files or software are " \
    "furnished to do so provided that "
#define UNICODE_DISCLAIMER \
    "the data files and software are provided as is without warranty of any kind express or " \
    "implied including but not limited to the warranties of merchantability fitness for a " \
    "particular purpose and noninfringement of third party rights in no event shall the " \
    "copyright holder or holders included in this notice be liable for any claim or any special " \
    "indirect or consequential damages or any damages whatsoever resulting from loss of use data " \
    "or profits whether in an action of contract negligence or other tortious action arising out " \
    "of or in connection with the use or performance of the data files or software except as " \
    "contained in this notice the name of a copyright holder shall not be used in advertising or " \
    "otherwise to promote the sale use or other dealings in these data files or software without " \
    "prior written authorization of the copyright holder"

/* ---- GNU ---- */

#define GNU_MAY \
    "( this | the | these | all | ) ~8 ( ( file | files ) ~3 | ) ( ( in | of | from ) ( this | " \
    "the " \
    ") ~4 | ) ( is | are ) free software ( and | ) you ( can | may ) " \
    "redistribute ( it | them ) and or modify ( it | them | ) ( only | ) under the terms of the "
#define YOU_MAY \
    "you ( can | may ) redistribute ( it | them | this *2 ) and or modify ( it | them ) under " \
    "the terms of the "
#define GPL "( gnu | ) ( general | ) public license ( gpl | ) "
#define LGPL "( gnu | ) ( lesser | library ) ( general | ) public license ( lgpl | ) "
#define PUBLISHED "( as published by the free software foundation ( inc | ) | ) "
#define OR_LATER_OTHER \
    "( ( either | ) version $v ( of the license | ) or ( at your option | ) any later version | " \
    "version $v or later | ( either | ) $v or later )"
#define ONLY "( ( only | either | ) version $v ( only | ) ( of the license | ) ( only | ) )"

#define GNU_KIND "( gnu | ) ( lesser | library | ) general public"

static const struct evidence_notice list_of_notices[] = {
    /* BSD */
    {EVIDENCE_NOTICE_GRANTS, "BSD-1-Clause", BSD_GRANT BSD_SOURCE BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "BSD-2-Clause",
     BSD_GRANT BSD_SOURCE BSD_BINARY ALTERNATIVELY_GPL BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "BSD-3-Clause",
     BSD_GRANT BSD_SOURCE BSD_BINARY BSD_NAME ALTERNATIVELY_GPL BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "BSD-Source-Code", BSD_GRANT BSD_SOURCE BSD_NAME BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "BSD-4-Clause",
     BSD_GRANT BSD_SOURCE BSD_BINARY BSD_ADVERTISING BSD_NAME BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "BSD-4-Clause",
     BSD_GRANT BSD_SOURCE BSD_BINARY BSD_ADVERTISING BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "BSD-4-Clause-UC",
     BSD_GRANT BSD_SOURCE BSD_BINARY BSD_ADVERTISING_UC
     "neither the name of the university nor the names of its contributors may be used to "
     "endorse "
     "or promote products derived from this software without specific prior written permission "
     "this software is provided by the regents and contributors as is and any express or implied "
     "warranties including but not limited to the implied warranties of merchantability and "
     "fitness for a particular purpose are disclaimed in no event shall the regents or "
     "contributors be liable for any direct indirect incidental special exemplary or "
     "consequential damages including but not limited to procurement of substitute goods or "
     "services loss of use data or profits or business interruption however caused and on any "
     "theory of liability whether in contract strict liability or tort including negligence or "
     "otherwise arising in any way out of the use of this software even if advised of the "
     "possibility of such damage"},
    {EVIDENCE_NOTICE_GRANTS, "BSD-3-Clause",
     "( unless otherwise explicitly stated the following text describes the licensed conditions "
     "under which the contents of this *2 release may be distributed | ) " BSD_GRANT
     "redistributions of source code must retain any existing copyright notice and this entire "
     "permission notice in its entirety including the disclaimer of warranties redistributions "
     "in binary form must reproduce all prior and current copyright notices this list of "
     "conditions and the following disclaimer in the documentation and or other materials "
     "provided with the distribution the name of any author may not be used to endorse or "
     "promote products derived from this software without their specific prior written "
     "permission " ALTERNATIVELY_GPL BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "bzip2-1.0.6",
     BSD_GRANT BSD_SOURCE
     "the origin of this software must not be misrepresented you must not claim that you wrote "
     "the original software if you use this software in a product an acknowledgment in the "
     "product documentation would be appreciated but is not required altered source versions "
     "must be plainly marked as such and must not be misrepresented as being the original "
     "software " BSD_NAME BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "BSD-4.3TAHOE",
     "redistribution and use in source and binary forms are permitted provided that the above "
     "copyright notice and this paragraph are duplicated in all such forms and that any "
     "documentation advertising materials and other materials related to such distribution and "
     "use acknowledge that the software was developed by *12 the name of *8 may not be used to "
     "endorse or promote products derived from this software without specific prior written "
     "permission this software is provided as is and without any express or implied warranties "
     "including without limitation the implied warranties of merchantability and fitness for a "
     "particular purpose"},
    {EVIDENCE_NOTICE_GRANTS, "TCP-wrappers",
     "( this material was originally written and compiled by *30 | ) redistribution and use in "
     "source and binary forms ( with or without modification | ) are permitted provided that "
     "this entire copyright notice is duplicated in all such copies this software is provided as "
     "is and without any "
     "( express | expressed ) or implied warranties including without limitation the implied "
     "warranties of merchantability and fitness for ( a | any ) particular "
     "purpose"},

    /* MIT and X11 */
    {EVIDENCE_NOTICE_GRANTS, "MIT", MIT_GRANT MIT_CONDITION MIT_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "MIT-0", MIT_GRANT MIT_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "X11", MIT_GRANT MIT_CONDITION MIT_DISCLAIMER MIT_NAME},
    {EVIDENCE_NOTICE_GRANTS, "MIT",
     "permission is hereby granted free of charge to any person obtaining a copy of this "
     "software "
     "and associated documentation files the software to deal in the software without "
     "restriction including without limitation the rights to use copy modify merge publish "
     "distribute and or sell copies of the software and to permit persons to whom the software "
     "is furnished to do so provided that the above copyright ( notice | notices ) and this "
     "permission notice appear in all copies of the software and that both the above copyright "
     "( notice | notices ) and this permission notice appear in supporting documentation "
     "the software is provided as is without warranty of any kind express or implied including "
     "but not limited to the warranties of merchantability fitness for a particular purpose and "
     "noninfringement of third party rights in no event shall *24 be liable for any claim or any "
     "special indirect or consequential damages or any damages whatsoever resulting from loss of "
     "use data or profits whether in an action of contract negligence or other tortious action "
     "arising out of or in connection with the use or performance of this software" MIT_NAME},
    {EVIDENCE_NOTICE_GRANTS, "ISC", ISC_GRANT ISC_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "ISC-Veillard",
     ISC_GRANT
     "this software is provided as is and without any express or implied warranties "
     "including without limitation the implied warranties of ( merchantibility | "
     "merchantability ) and fitness for a particular purpose the authors and contributors accept "
     "no responsibility in any conceivable manner"},
    {EVIDENCE_NOTICE_GRANTS, "HPND", ISC_GRANT HPND_NAME ISC_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "0BSD",
     "permission to use copy modify and or distribute this software for any purpose with or "
     "without fee is hereby granted " ISC_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "HPND",
     HPND_GRANT HPND_NAME "( " HPND_REPRESENTS " | ) ( " HPND_DISCLAIMS " | )"},
    {EVIDENCE_NOTICE_GRANTS, "HPND",
     HPND_GRANT "( " HPND_REPRESENTS " | ) ( " HPND_DISCLAIMS " | )"},
    {EVIDENCE_NOTICE_GRANTS, "HPND-sell-variant",
     HPND_SELL_GRANT HPND_NAME "( " HPND_REPRESENTS " | ) ( " HPND_DISCLAIMS " | )"},
    {EVIDENCE_NOTICE_GRANTS, "HPND-sell-variant",
     HPND_SELL_GRANT "( " HPND_REPRESENTS " | ) ( " HPND_DISCLAIMS " | )"},
    {EVIDENCE_NOTICE_GRANTS, "MIT-open-group",
     HPND_SELL_GRANT "the above copyright notice and this permission notice shall be included in "
                     "all copies or substantial portions of the software " MIT_DISCLAIMER MIT_NAME},
    {EVIDENCE_NOTICE_GRANTS, "NTP",
     "permission to use copy modify and distribute this software and its documentation for any "
     "purpose with or without fee is hereby granted provided that the above copyright notice "
     "appears in all copies and that both the copyright notice and this permission notice appear "
     "in supporting documentation and that the name *8 not be used in advertising or publicity "
     "pertaining to distribution of the software without specific written prior permission "
     "*10 makes no representations about the suitability this software for any purpose it is "
     "provided as is without express or implied warranty"},
    {EVIDENCE_NOTICE_GRANTS, "MIT-CMU",
     "by obtaining using and or copying this software and or its associated documentation you "
     "agree that you have read understood and will comply with the following terms and "
     "conditions " HPND_GRANT HPND_NAME HPND_DISCLAIMS},
    {EVIDENCE_NOTICE_GRANTS, "Zlib",
     "this ( software | code | file | library ) is provided as is without any ( express | "
     "expressed ) or implied warranty in no event will the ( author | authors ) be held liable "
     "for "
     "any "
     "damages arising from the use of this software permission is granted to anyone to use this "
     "software for any purpose including commercial applications and to alter it and "
     "redistribute it freely subject to the following restrictions the origin of this software "
     "must not be misrepresented you must not claim that you wrote the original software if you "
     "use this software in a product an acknowledgment in the product documentation would be "
     "appreciated but is not required altered source versions must be plainly marked as such and "
     "must not be misrepresented as being the original software this notice may not be removed "
     "or altered from any source distribution"},
    {EVIDENCE_NOTICE_GRANTS, "Spencer-86",
     "permission is granted to anyone to use this software for any purpose on any computer "
     "system and to redistribute it freely subject to the following restrictions the author is "
     "not responsible for the consequences of use of this software no matter how awful even if "
     "they arise from defects in it the origin of this software must not be misrepresented "
     "either by explicit claim or by omission altered versions must be plainly marked as such "
     "and must not be misrepresented as being the original software"},
    {EVIDENCE_NOTICE_GRANTS, "Spencer-99",
     "( development of this software was funded in part by cray research inc uunet "
     "communications services inc sun microsystems inc and scriptics corporation none of whom are "
     "responsible for the results the author thanks all of them | ) redistribution and use in "
     "source and binary "
     "forms with or without modification are permitted for any purpose provided that "
     "redistributions in source form retain this entire copyright notice and indicate the origin "
     "and nature of any modifications ( id appreciate being given credit for this package in the "
     "documentation of software which uses it but that is not a requirement | ) " BSD_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "Unicode-DFS-2015",
     UNICODE_GRANT
     "( a | ) ( the above copyright notices and this permission notice | this copyright and "
     "permission notice ) appear with all copies of the data files or software ( b | ) ( both the "
     "above copyright notices and this permission notice | this copyright and permission notice ) "
     "appear in associated documentation and ( c | ) there is clear notice in each modified data "
     "file or in the software as well as in the documentation associated with the data files or "
     "software that the data or software has been modified " UNICODE_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "Unicode-DFS-2016",
     UNICODE_GRANT
     "either ( a | ) this copyright and permission notice appear with all copies of the data files "
     "or software or ( b | ) this copyright and permission notice appear in associated "
     "documentation " UNICODE_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "PostgreSQL",
     "permission to use copy modify and distribute this software and its documentation for any "
     "purpose without fee and without a written agreement is hereby granted provided that the "
     "above copyright notice and this paragraph and the following two paragraphs appear in all "
     "copies in no event shall *12 be liable to any party for direct indirect special incidental "
     "or consequential damages including lost profits arising out of the use of this software and "
     "its documentation even if *12 has been advised of the possibility of such damage *12 "
     "specifically disclaims any warranties including but not limited to the implied warranties "
     "of merchantability and fitness for a particular purpose the software provided hereunder is "
     "on an as is basis and *12 has no ( obligation | obligations ) to provide maintenance "
     "support updates enhancements or modifications"},
    {EVIDENCE_NOTICE_GRANTS, "BSL-1.0",
     "( boost software license version 1.0 *3 | ) permission is hereby granted free of charge to "
     "any person or organization obtaining a copy of the software and accompanying documentation "
     "covered by this license the software to use reproduce display distribute execute and "
     "transmit the software and to prepare derivative works of the software and to permit "
     "thirdparties to whom the software is furnished to do so all subject to the following the "
     "copyright notices in the software and this entire statement including the above license "
     "grant this restriction and the following disclaimer must be included in all copies of the "
     "software in whole or in part and all derivative works of the software unless such copies "
     "or derivative works are solely in the form of machineexecutable object code generated by a "
     "source language processor the software is provided as is without warranty of any kind "
     "express or implied including but not limited to the warranties of merchantability fitness "
     "for a particular purpose title and noninfringement in no event shall the copyright holders "
     "or anyone distributing the software be liable for any damages or other liability whether "
     "in contract tort or otherwise arising from out of or in connection with the software or "
     "the use or other dealings in the software"},
    {EVIDENCE_NOTICE_GRANTS, "Apache-2.0",
     "licensed under the apache license version 2.0 the license you may not use this file except "
     "in compliance with the license you may obtain a copy of the license at http www apache org "
     "licenses license 2.0 ( txt | html | ) unless required by applicable law or agreed to in "
     "writing software distributed under the license is distributed on an as is basis without "
     "warranties or conditions of any kind either express or implied see the license for the "
     "specific language governing permissions and limitations under the license"},
    {EVIDENCE_NOTICE_GRANTS, "Beerware",
     "the beerware license revision 42 *6 wrote this ( file | software | code ) as long as you "
     "retain this notice you can do whatever you want with this stuff if we meet some day and "
     "you think this stuff is worth it you can buy me a beer in return *3"},
    {EVIDENCE_NOTICE_GRANTS, "TCL",
     "this software is copyrighted by *30 the following terms apply to ( all | the *3 ) files "
     "( originating from *6 | ) associated with the software unless explicitly disclaimed in "
     "individual files the authors hereby grant permission to use copy modify distribute and "
     "license this software and its documentation for any purpose provided that existing "
     "copyright notices are retained in all copies and that this notice is included verbatim in "
     "any distributions no written agreement license or royalty fee is required for any of the "
     "authorized uses modifications to this software may be copyrighted by their authors and "
     "need not follow the licensing terms described here provided that the new terms are clearly "
     "indicated on the first page of each file where they apply in no event shall the authors or "
     "distributors be liable to any party for direct indirect special incidental or "
     "consequential damages arising out of the use of this software its documentation or any "
     "derivatives thereof even if the authors have been advised of the possibility of such "
     "damage the authors and distributors specifically disclaim any warranties including but not "
     "limited to the implied warranties of merchantability fitness for a particular purpose and "
     "noninfringement this software is provided on an as is basis and the authors and "
     "distributors have no obligation to provide maintenance support updates enhancements or "
     "modifications ( government use if you are acquiring this software on behalf of the ( us | u "
     "s | s ) "
     "government the government shall have only restricted rights in the software and related "
     "documentation as defined in the federal acquisition regulations fars in clause *4 if you "
     "are acquiring the software on behalf of the department of defense the software shall be "
     "classified as commercial computer software and the government shall have only restricted "
     "rights as defined in clause *6 of ( dfars | dfar ) notwithstanding the foregoing the "
     "authors grant the ( us | u s | s ) government and others acting in its behalf permission to "
     "use and "
     "distribute the software in accordance with the terms specified in this license | )"},

    {EVIDENCE_NOTICE_GRANTS, "WTFPL",
     "do what the fuck you want to public license version 2 december 2004 ( 22 rue de plaisance "
     "75014 paris france | ) everyone is permitted to copy and distribute verbatim or modified "
     "copies of this license document and changing it is allowed as long as the name is changed "
     "do what the fuck you want to public license terms and conditions for copying distribution "
     "and modification you just do what the fuck you want to"},
    {EVIDENCE_NOTICE_GRANTS, "Boehm-GC",
     "this material is provided as is with absolutely no warranty expressed or implied any use is "
     "at your own risk permission is hereby granted to use or copy this program for any purpose "
     "provided the above notices are retained on all copies permission to modify the code and to "
     "distribute modified code is granted provided the above notices are retained and a notice "
     "that the code was modified is included with the above copyright notice"},
    {EVIDENCE_NOTICE_GRANTS, "Kazlib",
     "( free software license | ) all rights are reserved by the author with the following "
     "exceptions permission is granted to freely reproduce and distribute this software possibly "
     "in exchange for a fee provided that this copyright notice appears intact permission is "
     "also granted to adapt this software to produce derivative works as long as the modified "
     "versions carry this copyright notice and additional notices stating that the work has been "
     "modified this source code may be translated into executable form and incorporated into "
     "proprietary software there is no requirement for such software to contain a copyright "
     "notice related to this source"},
    {EVIDENCE_NOTICE_GRANTS, "HPND-UC",
     "permission is hereby granted without written agreement and without license or royalty fees "
     "to use copy modify and distribute this software and its documentation for any purpose "
     "provided that the above copyright notice and the following two paragraphs appear in all "
     "copies of this software in no event shall *12 be liable to any party for direct indirect "
     "special incidental or consequential damages arising out of the use of this software and "
     "its documentation even if *12 has been advised of the possibility of such damage *12 "
     "specifically disclaims any warranties including but not limited to the implied warranties "
     "of merchantability and fitness for a particular purpose the software provided hereunder is "
     "on an as is basis and *12 has no obligation to provide maintenance support updates "
     "enhancements or modifications"},
    {EVIDENCE_NOTICE_GRANTS, "CMU-Mach-nodoc",
     "permission to use copy modify and distribute this software and its documentation is hereby "
     "granted provided that both the copyright notice and this permission notice appear in all "
     "copies of the software derivative works or modified versions and any portions thereof ( "
     "and "
     "that both notices appear in supporting documentation | ) carnegie mellon allows free use "
     "of this software in its as is condition carnegie mellon disclaims any liability of any "
     "kind for any damages whatsoever resulting from the use of this software"},
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v+ or MIT",
     "this file is duallicensed you can use it either under the terms of the gpl or the x11 "
     "license at your option note that this dual licensing only applies to this file and not "
     "this project as a whole " GNU_MAY GPL PUBLISHED "either version $v of the license or at "
     "your option any later version this *3 is distributed in the hope that it will be useful "
     "but without any warranty without even the implied warranty of merchantability or fitness "
     "for a particular purpose see the gnu general public license for more details or "
     "alternatively " MIT_GRANT MIT_CONDITION MIT_DISCLAIMER},
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v+ with Bison exception",
     GNU_MAY GPL PUBLISHED
     "either version $v of the license or at your option any later version "
     "this *3 is distributed in the hope that it will be useful but without any warranty without "
     "even the implied warranty of merchantability or fitness for a particular purpose see the "
     "gnu general public license for more details ( you should have received a copy of the gnu "
     "general public license along with this program if not see http www gnu org licenses | ) as "
     "a special exception you may create a larger work that contains part or all of the bison "
     "parser skeleton and distribute that work under terms of your choice so long as that work "
     "isnt itself a parser generator using the skeleton or a modified version thereof as a "
     "parser skeleton alternatively if you modify or redistribute the parser skeleton itself you "
     "may at your option remove this special exception which will cause the skeleton and the "
     "resulting bison output files to be licensed under the gnu general public license without "
     "this special exception this special exception was added by the free software foundation in "
     "version 2.2 of bison"},
    {EVIDENCE_NOTICE_GRANTS, "Apache-2.0",
     "apache license version 2.0 january 2004 http www apache org licenses terms and conditions "
     "for use reproduction and distribution definitions license shall mean the terms and "
     "conditions for use reproduction and distribution as defined by sections 1 through 9 of "
     "this document * accepting any such warranty or additional liability ( end of terms and "
     "conditions | ) ( appendix how to apply the apache license to your work * limitations under "
     "the license | )"},

    {EVIDENCE_NOTICE_GRANTS, "man2html",
     "this program was written by *8 at the eindhoven university of technology email *4 "
     "permission "
     "is granted to distribute modify and use this program as long as this comment is not "
     "removed "
     "or changed ( this is a modified version it was modified by *4 for use by *1 | )"},
    {EVIDENCE_NOTICE_GRANTS, "public-domain and MIT",
     "this is a version aka dlmalloc of malloc free realloc written by doug lea and released to "
     "the public domain as explained at http creativecommons org licenses publicdomain send "
     "questions comments complaints performance data etc to dl cs oswego edu incorporates code "
     "from intrin x86 h which bears the following notice compatibility intrin x86 h header for "
     "gcc gcc equivalents of intrinsic microsoft visual c functions originally developed for the "
     "reactos http www reactos org and tinykrnl http www tinykrnl org projects " MIT_GRANT
         MIT_CONDITION MIT_DISCLAIMER},

    /* the FSF's notices for small files */
    {EVIDENCE_NOTICE_GRANTS, "FSFULLR",
     "( this | the ) *6 is free software ( as a special exception | ) ( the ( author | authors ) "
     "( gives | give ) | the free software foundation gives | *4 gives ) unlimited permission to "
     "copy and or distribute it with or without modifications as long as this notice is "
     "preserved"},
    {EVIDENCE_NOTICE_GRANTS, "FSFULLRWD",
     "( this | the ) *6 is free software ( as a special exception | ) ( the ( author | authors ) "
     "( gives | give ) | the free software foundation gives | *4 gives ) unlimited permission to "
     "copy and or distribute it with or without modifications as long as this notice is "
     "preserved this ( program | file | *3 ) is distributed in the hope that it will be useful "
     "but without any warranty to the extent permitted by law without even the implied warranty "
     "of merchantability or fitness for a particular purpose"},
    {EVIDENCE_NOTICE_GRANTS, "FSFUL",
     "( this *4 is free software | ) the free software foundation gives unlimited permission to "
     "copy distribute and modify it"},
    {EVIDENCE_NOTICE_GRANTS, "FSFAP",
     "copying and distribution of this *4 with or without modification are permitted in any "
     "medium without royalty provided the copyright notice and this notice are preserved ( this "
     "*3 is offered as is without ( any | ) warranty ( of any kind | ) | )"},

    /* public domain */
    {EVIDENCE_NOTICE_GRANTS, "public-domain",
     "this file has no copyright assigned and is placed in the public domain this file is a part "
     "of the *4 package the *4 package and its code is distributed in the hope that it will be "
     "useful but without any warranty all warranties expressed or implied are hereby disclaimed "
     "this includes but is not limited to warranties of merchantability or fitness for a "
     "particular purpose you are free to use this package and its code without limitation"},
    {EVIDENCE_NOTICE_GRANTS, "public-domain",
     "( this | the ) *12 ( is | are ) hereby placed in the public domain without restrictions "
     "just give the author credit dont claim you wrote it or prevent anyone else from using it "
     "( *4 current email address gpietsch comcast net | )"},
    {EVIDENCE_NOTICE_GRANTS, "public-domain",
     "written by *8 public domain based conceptually on *10 may be used and distributed freely "
     "for any purpose changes by *20 also placed in public domain ( minor changes by *8 also "
     "placed in the public domain | ) ( changes by *20 placed in public domain as well | )"},
    {EVIDENCE_NOTICE_GRANTS, "public-domain",
     "( this | the ) *12 ( is | are | was | has been | have been | is hereby | are hereby ) "
     "( placed | put | released | ) ( in | into | to ) the public domain"},
    {EVIDENCE_NOTICE_GRANTS, "public-domain",
     "( written | implemented | created | based on *10 written ) by *14 ( and | ) ( placed | "
     "put | "
     "released ) ( in | into | to ) the public domain"},
    {EVIDENCE_NOTICE_GRANTS, "public-domain", "( in the | ) public domain"},
    {EVIDENCE_NOTICE_GRANTS, "public-domain",
     "( this software was written by *4 in *1 | ) no copyright is claimed and ( the software | "
     "this *3 ) is hereby placed in the public "
     "domain in case this attempt to disclaim copyright and place the software in the public "
     "domain is deemed null and void then the software is *8 and it is hereby released to the "
     "general public under the following terms redistribution and use in source and binary forms "
     "with or without modification are permitted ( there is | theres ) absolutely no warranty ( to "
     "the extent permitted by law | express or implied )"},
    {EVIDENCE_NOTICE_SILENT, "",
     "( it | this *3 | they ) ( comes | come | is provided ) with absolutely no warranty"},
    {EVIDENCE_NOTICE_SILENT, "", "no ( rights | copyright ) ( are | is ) claimed"},

    {EVIDENCE_NOTICE_GRANTS, "public-domain", "no copyright to license"},
    {EVIDENCE_NOTICE_SILENT, "",
     "this software and documentation has been developed by *6 along with *8 for further "
     "information please visit http www *1 com"},

    /* GNU: "or later" */
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v+", GNU_MAY GPL PUBLISHED OR_LATER_OTHER},
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v+", YOU_MAY GPL PUBLISHED OR_LATER_OTHER},
    {EVIDENCE_NOTICE_GRANTS, "LGPL-$v+", GNU_MAY LGPL PUBLISHED OR_LATER_OTHER},
    {EVIDENCE_NOTICE_GRANTS, "LGPL-$v+", YOU_MAY LGPL PUBLISHED OR_LATER_OTHER},
    /* GNU: one version */
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v", GNU_MAY GPL PUBLISHED ONLY},
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v", YOU_MAY GPL PUBLISHED ONLY},
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v",
     GNU_MAY GPL "version $v as published by the free software foundation"},
    /* section 9 of version 2: if no version is named, any may be chosen */
    {EVIDENCE_NOTICE_GRANTS, "GPL-1+",
     GNU_MAY "gnu general public license as published by the free software foundation"},
    {EVIDENCE_NOTICE_GRANTS, "LGPL-$v", GNU_MAY LGPL PUBLISHED ONLY},
    {EVIDENCE_NOTICE_GRANTS, "LGPL-$v",
     GNU_MAY LGPL "version $v as published by the free software foundation"},
    /* GNU: a choice */
    {EVIDENCE_NOTICE_GRANTS, "GPL-$v+ or Artistic-1.0-Perl",
     GNU_MAY "( either | ) the gnu general public license as published by the free software "
             "foundation either version $v or at your option any later version or the artistic "
             "license ( which comes with ( perl | this kit ) | )"},
    {EVIDENCE_NOTICE_GRANTS, "GPL-1+ or Artistic-1.0-Perl",
     "( this | the ) *4 is free software you ( can | may ) redistribute it and or modify it "
     "under "
     "the same terms as perl itself"},

    /* Debian's QEMU: the licence of its logo is a picture's */
    {EVIDENCE_NOTICE_GRANTS, "GPL-2 and LGPL-2+ and BSD-1-Clause and MIT",
     "qemu as a whole is released under the gnu general public license version 2 on debian "
     "systems the complete text of the gnu general public license version 2 can be found in the "
     "file usr share commonlicenses gpl 2 parts of qemu have specific licenses which are "
     "compatible with the gnu general public license hence each source file contains its own "
     "licensing information in particular the qemu virtual cpu core library libqemu a is "
     "released "
     "under the gnu lesser general public license version 2 or later on debian systems the "
     "complete text of the gnu lesser general public license can be found in the file usr share "
     "commonlicenses lgpl 2 the bsd emulator is released under the following bsd license " BSD_GRANT
         BSD_SOURCE BSD_DISCLAIMER
     " the tcg code and many hardware device emulation sources are released under the following "
     "mit license " MIT_GRANT MIT_CONDITION MIT_DISCLAIMER
     " the qemu logo pcbios qemu logo svg and also icons and pictures derived from it *8 are "
     "licensed under creative commons attribution license version 3.0 ccby 3.0 attribution 3.0 "
     "unported * creative commons may be contacted at http creativecommons org"},

    /* references: before the sentences without a meaning, which are as long */
    {EVIDENCE_NOTICE_REFERS, "GPL-$v",
     "on debian systems the ( complete | full | ) text of the gnu general public license version "
     "$v can be found in ( the file | ) usr share commonlicenses gpl $v"},
    {EVIDENCE_NOTICE_REFERS, "LGPL-$v",
     "on debian systems the ( complete | full | ) text of the gnu ( lesser | library ) general "
     "public license version $v can be found in ( the file | ) usr share commonlicenses lgpl $v"},
    {EVIDENCE_NOTICE_REFERS, "Apache-2.0",
     "on debian systems ( a copy of | ) the ( complete | full | ) ( text | copy | ) ( of | ) the "
     "apache ( software | ) ( version 2.0 | ) license ( version 2 | version 2.0 | 2.0 | ) can be "
     "found in ( the file | ) usr share commonlicenses apache 2.0"},
    {EVIDENCE_NOTICE_REFERS, "CC0-1.0",
     "on debian systems the ( complete | full | ) text of the *10 can be found in ( the file | ) "
     "usr share commonlicenses cc0 1.0"},
    {EVIDENCE_NOTICE_REFERS, "Artistic-1.0-Perl",
     "on debian systems the ( complete | full | ) text of the artistic license can be found in "
     "( the file | ) usr share commonlicenses artistic"},
    {EVIDENCE_NOTICE_REFERS, "MPL-$v",
     "on debian systems the ( complete | full | ) text of the mozilla public license ( version "
     "$v "
     "| ) can be found in ( the file | ) usr share commonlicenses mpl $v"},
    {EVIDENCE_NOTICE_REFERS, "GPL-1+",
     "( this | the ) *6 ( is | may be ) ( distributed | redistributed | released | licensed ) "
     "under the "
     "( terms of the | ) ( gnu general public license | gpl | gnu gpl )"},
    {EVIDENCE_NOTICE_REFERS, "LGPL-2+",
     "( this | the ) *6 ( is | may be ) ( distributed | redistributed | released | licensed ) "
     "under the "
     "( terms of the | ) ( gnu ( lesser | library ) general public license | lgpl | gnu lgpl )"},

    /* GNU: what goes with the notices */
    {EVIDENCE_NOTICE_SILENT, "",
     "( this | the | these | ) *8 ( is | are ) distributed in the hope that ( it | they ) will "
     "be "
     "useful but ( is provided as is | ) without any warranty without even the implied warranty "
     "of merchantability ( or | ) fitness for a particular purpose ( and noninfringement | ) ( "
     "see the " GNU_KIND " license for more details | )"},
    {EVIDENCE_NOTICE_SILENT, "",
     "you should have received a copy of the " GNU_KIND
     " license ( version $v | ) along with ( this | the | *1 ) ( program | package | library | "
     "software | file | gnu c library | *1 ) ( ( if not | see the file copying if not ) ( see http "
     "www gnu org licenses ( gpl html | ) "
     "| write to the free software foundation ( inc | ) ( at | ) ( 51 franklin ( st | street ) "
     "( fifth floor | ) boston ma 02110 1301 | 51 franklin ( st | street ) fifth floor boston "
     "ma 02110 1301 | 59 temple ( place | pl ) ( suite 330 | ) boston ma 02111 1307 | 675 mass "
     "ave cambridge ma 02139 | ) ( usa | ) ) | )"},
    {EVIDENCE_NOTICE_SILENT, "",
     "on debian ( systems | gnu linux systems | based systems ) ( a copy of | ) the ( complete | "
     "full | ) "
     "( text | texts | copy ) of the ( latest version of the | ) " GNU_KIND " license *4 can be "
     "found in ( the file | the directory | ) usr share commonlicenses ( gpl | lgpl ) ( $v | ) ( "
     "and usr share "
     "commonlicenses lgpl | )"},
};

size_t evidence_notices(void)
{
    return sizeof list_of_notices / sizeof *list_of_notices + evidence_notice_sentences();
}

const struct evidence_notice *evidence_notice_at(size_t index)
{
    const size_t n = sizeof list_of_notices / sizeof *list_of_notices;

    return index < n ? &list_of_notices[index] : evidence_notice_sentence_at(index - n);
}
