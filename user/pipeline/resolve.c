// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/resolve.h"

#include "kernel/cgroup.h"
#include "kernel/netns.h"
#include "names/clients.h"
#include "names/caller.h"
#include "names/users.h"

#include <string.h>

typedef int (*resolver)(const struct selector *s, struct filter *f, char *err);

#define ADD(set, ...)                                                                              \
	({                                                                                         \
		int r_ = grow(&(set)->v, &(set)->cap, (set)->n + 1, sizeof(*(set)->v));            \
		if (r_ == 0)                                                                       \
			(set)->v[(set)->n++] = (typeof(*(set)->v))__VA_ARGS__;                     \
		r_;                                                                                \
	})

static int user(const struct selector *s, struct filter *f, char *err)
{
	uint32_t uid = s->user.uid;
	int r = s->user.form == USER_UID ? 0 : user_resolve(s->text, &uid, err);

	return r < 0 ? r : ids_add(&f->users, uid);
}

static int host(const struct selector *s, struct prefixes *to, char *err)
{
	_free_ struct prefix *v = NULL;
	size_t n = 0;
	int r;

	if (!s->client.host)
		return ADD(to, s->client.prefix);
	r = client_resolve(s->client.host, &v, &n, err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = ADD(to, v[i]);
	return r;
}

static int client(const struct selector *s, struct filter *f, char *err)
{
	return host(s, &f->clients, err);
}

static int peer(const struct selector *s, struct filter *f, char *err)
{
	return host(s, &f->peers, err);
}

int resolve_session(const struct selector *s, struct session_id *ret, char *err)
{
	struct session_id id = { .form = s->session.form, .audit = s->session.audit };

	if (s->session.form == SESSION_SELF) {
		if (session_of_caller(0, id.id, &id.audit) < 0)
			return fail(-ESRCH, err, "--session self: this process is in no session");
		id.form = *id.id ? SESSION_LOGIND : SESSION_AUDIT;
	} else if (s->session.form == SESSION_LOGIND) {
		if (strlen(s->text) >= sizeof(id.id))
			return fail(-ESRCH, err, "no such session: %s", s->text);
		strcpy(id.id, s->text);
	}
	*ret = id;
	return 0;
}

static int session(const struct selector *s, struct filter *f, char *err)
{
	struct session_id id;
	int r = resolve_session(s, &id, err);

	return r < 0 ? r : ADD(&f->sessions, id);
}

static int cgroup(const struct selector *s, struct filter *f, char *err)
{
	int r = cgroup_subtree(s->text, &f->cgroups);

	return r == -ENOMEM ? r : r < 0 ? fail(-ESRCH, err, "no such cgroup: %s", s->text) : 0;
}

static int unit(const struct selector *s, struct filter *f, char *err)
{
	int r = cgroup_unit(s->text, &f->units);

	return r == -ENOENT ? fail(-ESRCH, err, "no such unit: %s (no control group of the system's is named so; those of users "
						"are named with --cgroup)", s->text) : r;
}

/* Our own is found where /proc is hidden too. */
static int own_netns(uint32_t *ret)
{
	_close_ int fd = netns_own();

	return fd < 0 ? fd : netns_inode_of_fd(fd, ret);
}

int resolve_netns(const struct selector *s, uint32_t *ret, char *err)
{
	_free_ char *named = NULL;
	uint32_t inode = s->netns.inode;
	int r = 0;

	if (s->netns.form == NETNS_NAME && asprintf(&named, "/run/netns/%s", s->text) < 0)
		return -ENOMEM;
	if (s->netns.form == NETNS_SELF)
		r = own_netns(&inode);
	else if (s->netns.form != NETNS_INODE)
		r = netns_inode_of_path(named ? named : s->text, &inode);
	if (r < 0)
		return fail(r == -EACCES || r == -EPERM ? -EPERM : -ESRCH, err,
			    "no such network namespace: %s (%s)", s->text, strerror(-r));
	*ret = inode;
	return 0;
}

static int netns(const struct selector *s, struct filter *f, char *err)
{
	uint32_t inode;
	int r = resolve_netns(s, &inode, err);

	return r < 0 ? r : ids_add(&f->netns, inode);
}

static int pid(const struct selector *s, struct filter *f, char *err)
{
	(void)err;
	return ids_add(&f->pids, s->pid);
}

static int local_port(const struct selector *s, struct filter *f, char *err)
{
	(void)err;
	return ADD(&f->local_ports, { s->ports.first, s->ports.last });
}

static int remote_port(const struct selector *s, struct filter *f, char *err)
{
	(void)err;
	return ADD(&f->remote_ports, { s->ports.first, s->ports.last });
}

static int proto(const struct selector *s, struct filter *f, char *err)
{
	(void)err;
	f->protos |= s->protos;
	return 0;
}

static int state(const struct selector *s, struct filter *f, char *err)
{
	(void)err;
	f->states |= s->states;
	return 0;
}

static int flow(const struct selector *s, struct filter *f, char *err)
{
	(void)err;
	return ADD(&f->flows, { s->flow.cookie, s->flow.netns });
}

/* Of several ages any will do, so the least one counts. */
static int older_than(const struct selector *s, struct filter *f, char *err)
{
	(void)err;
	if (!filter_names(f, SEL_OLDER_THAN) || s->older_ms < f->older_ms)
		f->older_ms = s->older_ms;
	return 0;
}

static int all(const struct selector *s, struct filter *f, char *err)
{
	(void)s;
	(void)f;
	(void)err;
	return 0;
}

static const resolver resolvers[] = {
	[SEL_USER] = user,           [SEL_CLIENT] = client,     [SEL_PEER] = peer,
	[SEL_SESSION] = session,     [SEL_CGROUP] = cgroup,     [SEL_UNIT] = unit,
	[SEL_PID] = pid,             [SEL_LOCAL_PORT] = local_port, [SEL_REMOTE_PORT] = remote_port,
	[SEL_PROTO] = proto,         [SEL_NETNS] = netns,       [SEL_FLOW] = flow,
	[SEL_STATE] = state,         [SEL_OLDER_THAN] = older_than, [SEL_ALL] = all,
};
_Static_assert(array_size(resolvers) == SEL_MAX, "resolve every selector");

int resolve(const struct request *req, struct filter *ret, const char **ret_missing, char *err)
{
	int r;

	for (size_t i = 0; i < req->n_selectors; i++) {
		const struct selector *s = &req->selectors[i];

		if (req->stop && *req->stop)
			return fail(-EINTR, err, "interrupted; nothing was touched");
		r = resolvers[s->kind](s, ret, err);
		if (r == -ESRCH && ret_missing)
			*ret_missing = selector_option[s->kind] + strlen("--");
		if (r < 0)
			return r;
		if (s->kind != SEL_ALL)
			ret->named |= 1u << s->kind;
	}
	if (!ret->protos)
		ret->protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_MPTCP;
	if (!ret->states)
		ret->states = STATES_DEFAULT;
	if (req->verb == VERB_LIST)
		ret->states &= ~(1u << STATE_CLOSE); /* an unconnected socket is nobody's connection */
	ret->transport_only = req->verb == VERB_DISCONNECT;
	ids_sort(&ret->users);
	ids_sort(&ret->cgroups);
	ids_sort(&ret->units);
	ids_sort(&ret->pids);
	ids_sort(&ret->netns);
	return 0;
}
