/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device as a driver sees it: identity, regions, registers. README.md explains them.
 *
 * BAR 0 is as QEMU's docs/specs/edu.rst describes it; BAR 2 is an addition, for the other things
 * that vfio-user can pass: a mappable page, an ioeventfd. Only numbers, so that guest programs and
 * tests can include this file alone.
 */
#ifndef POEMD_EDU_REGS_H
#define POEMD_EDU_REGS_H

#define EDU_VENDOR_ID 0x1234u
#define EDU_DEVICE_ID 0x11e8u
#define EDU_REVISION 0x10u
#define EDU_CLASS 0x00ffu /* base class 0, subclass 0xff: fits no other class */

/* ---- BAR 0: 1 MiB, 32-bit memory. 4-byte accesses below 0x80, 4 or 8 bytes from there on ---- */

#define EDU_BAR0_SIZE 0x100000u

#define EDU_IDENT 0x00u      /* RO: EDU_IDENT_VALUE */
#define EDU_LIVENESS 0x04u   /* RW: reads as the complement of what was written */
#define EDU_FACTORIAL 0x08u  /* RW: n, then n! modulo 2^32 */
#define EDU_STATUS 0x20u     /* EDU_STATUS_* */
#define EDU_IRQ_STATUS 0x24u /* RO: the values that raised the interrupt */
#define EDU_IRQ_RAISE 0x60u  /* WO: or'ed into the interrupt status */
#define EDU_IRQ_ACK 0x64u    /* WO: clears these bits of the interrupt status */
#define EDU_REGS_WIDE 0x80u  /* registers from here on have 8 bytes */
#define EDU_DMA_SRC 0x80u    /* RW */
#define EDU_DMA_DST 0x88u    /* RW */
#define EDU_DMA_COUNT 0x90u  /* RW: bytes */
#define EDU_DMA_CMD 0x98u    /* RW: EDU_DMA_* */

#define EDU_IDENT_VALUE 0x010000edu

#define EDU_STATUS_COMPUTING 0x01u /* RO: a factorial is being computed */
#define EDU_STATUS_IRQ 0x80u       /* RW: raise EDU_IRQ_FACTORIAL when done */

#define EDU_DMA_START 0x1u  /* reads as set until the transfer is over */
#define EDU_DMA_TO_RAM 0x2u /* from the buffer to memory; else the reverse */
#define EDU_DMA_IRQ 0x4u    /* raise EDU_IRQ_DMA at the end */

#define EDU_IRQ_FACTORIAL 0x001u
#define EDU_IRQ_DMA 0x100u

/* The buffer's DMA address. It cannot be accessed through the BAR. */
#define EDU_BUFFER 0x40000u
#define EDU_BUFFER_SIZE 4096u

/* Address bits that the device can drive: 256 MiB. */
#define EDU_DMA_MASK_DEFAULT 0xfffffffull

/* ---- BAR 2: 8 KiB, 32-bit memory ---- */

#define EDU_BAR2_SIZE 0x2000u

/* The first page has trapped registers: 4-byte writes; reads of 4 or 8 bytes. */
#define EDU_DOORBELL 0x00u       /* WO: a write of any value rings; also an ioeventfd */
#define EDU_DOORBELL_COUNT 0x08u /* RO, 8 bytes: rings since reset */

/* The second page is plain memory that the client may map; accesses of any size. */
#define EDU_PAGE 0x1000u
#define EDU_PAGE_SIZE 0x1000u

/* ---- configuration space ---- */

#define EDU_CONFIG_SIZE 256u
#define EDU_CONFIG_MSI 0x40u /* the MSI capability: one vector, 64-bit address, no masking */

#endif
