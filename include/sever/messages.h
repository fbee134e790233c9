/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* messages.h - the MESSAGE_ID of each kind of record that severd leaves in the journal: `journalctl MESSAGE_ID=...` finds
 * all of a kind. They never change. severd(8) lists the fields. */
#ifndef SEVER_MESSAGES_H
#define SEVER_MESSAGES_H

/* A request was accepted: its victims are known and none has died yet. */
#define SEVER_MESSAGE_ACCEPTED "c605a01a1ec34041ba27692e50ab43af"
/* A request is done, or was refused after all. */
#define SEVER_MESSAGE_DONE "3d60ed3af63540bea51bba322da1cc3f"
/* A connection was cut. */
#define SEVER_MESSAGE_CUT "84e843dbce8f440985586d168ac40dc6"
/* Records are missing: the journal took them too slowly. */
#define SEVER_MESSAGE_LOST "3afd5fc1df8149dfb68b097ec2b44608"

/* A fence went up. */
#define SEVER_MESSAGE_FENCE_ADD "147e3960c1a645819ac4753c87ca42c0"
/* A fence refused somebody; of many refusals some are told. */
#define SEVER_MESSAGE_FENCE_HIT "9cb298a95aaf413dbde5bd3eecdc73e4"
/* A fence has come to its end. */
#define SEVER_MESSAGE_FENCE_EXPIRE "2b05d834564b4bc884ec3cb75deb4adb"
/* A fence was taken down. */
#define SEVER_MESSAGE_FENCE_LIFT "eb785dd106034715b7789c60cc74ba0f"

#endif
