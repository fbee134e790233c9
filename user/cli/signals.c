// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/signals.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

const volatile sig_atomic_t *signals_catch(bool own_session)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction early = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_RESTART };
	struct sigaction before;

	for (size_t i = 0; i < array_size(signals); i++)
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &early, NULL);
	if (own_session)
		signal(SIGHUP, SIG_IGN);
	return &stop;
}
