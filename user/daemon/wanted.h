/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wanted.h - which events the selectors of a watcher are about. */
#ifndef SEVER_WANTED_H
#define SEVER_WANTED_H

#include "daemon/log.h"
#include "daemon/sittings.h"
#include "model/filter.h"

/* Without selectors every event is. The filter takes any state: an end is told of in the one it came from. */
bool event_is_wanted(const struct logged *e, const struct filter *f, const struct sittings *s);

#endif
