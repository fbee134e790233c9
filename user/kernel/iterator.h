/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEVER_ITERATOR_H
#define SEVER_ITERATOR_H

/* Runs the program of an iterator's link, which writes nothing, over all there is. 0 or negative errno. */
int iterator_run(int link);

#endif
