/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * An executable whose package notes are the real assembler's and linker's: one by the linker's
 * option (see evidence.cmake), and with SECOND_NOTE another one, as a library linked into it would
 * bring it.
 */
#ifdef SECOND_NOTE
__asm__(".pushsection .note.package, \"a\", @note\n"
        ".balign 4\n"
        ".long 2f - 1f\n"
        ".long 4f - 3f\n"
        ".long 0xcafe1a7e\n"
        "1: .asciz \"FDO\"\n"
        "2: .balign 4\n"
        "3: .asciz \"{\\\"name\\\":\\\"libthing\\\",\\\"license\\\":\\\"MIT\\\"}\"\n"
        "4: .balign 4\n"
        ".popsection\n");
#endif

int main(void)
{
    return 0;
}
