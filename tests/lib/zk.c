/* zk - one look at, or one change of, a znode, without starting a JVM for it.
 *
 *     zk SERVERS get PATH            prints the value
 *     zk SERVERS stat PATH           prints czxid, mzxid, version, ephemeralOwner and length
 *     zk SERVERS ls PATH             prints the children's names, sorted
 *     zk SERVERS tree PATH           prints "PATH czxid mzxid version" of it and all below, sorted
 *     zk SERVERS acl PATH            prints its access list, as "scheme:id:perms ..."
 *     zk SERVERS open PATH           everybody may do everything with it
 *     zk SERVERS set PATH VALUE      whatever its version
 *     zk SERVERS create PATH VALUE   persistent
 *     zk SERVERS hold PATH VALUE     ephemeral, kept until this process ends
 *     zk SERVERS delete PATH         whatever its version, with all below it
 *
 * ZK_AUTH, USER:PASSWORD and blanks between several, are the credentials shown. A znode is created
 * open to everybody.
 *
 * VALUE "-" is read from standard input. Exit: 0 done, 1 the registry refused
 * (its answer is on stderr), 2 usage, 3 not reached within 5 s.
 *
 * It is a test's tool: synchronous calls, one request after the other. Reads
 * follow a sync, so that they see what another client has just written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zookeeper/zookeeper.h>

static char value[1 << 20];

static int refuse(const char *path, int rc)
{
    fprintf(stderr, "zk: %s: %s\n", path, zerror(rc));
    return 1;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static zhandle_t *connect_to(const char *servers)
{
    zoo_set_debug_level((ZooLogLevel)0);
    zhandle_t *zh = zookeeper_init(servers, NULL, 10000, NULL, NULL, 0);
    if (zh) {
        zoo_set_servers_resolution_delay(zh, -1);
    }
    for (int waited = 0; zh && zoo_state(zh) != ZOO_CONNECTED_STATE; waited += 2) {
        if (waited >= 5000) {
            zookeeper_close(zh);
            return NULL;
        }
        pause_ms(2);
    }
    return zh;
}

static void flush_done(int rc, const char *path, const void *done)
{
    (void)rc, (void)path;
    __atomic_store_n((int *)done, 1, __ATOMIC_RELEASE);
}

/* Make the server that we talk to catch up with the leader. */
static void catch_up(zhandle_t *zh, const char *path)
{
    static int done;
    if (zoo_async(zh, path, flush_done, &done) == ZOK) {
        for (int waited = 0; !__atomic_load_n(&done, __ATOMIC_ACQUIRE) && waited < 5000; waited++) {
            pause_ms(1);
        }
    }
}

static int get(zhandle_t *zh, const char *path)
{
    int size = sizeof value;
    int rc = zoo_get(zh, path, 0, value, &size, NULL);
    if (rc != ZOK) {
        return refuse(path, rc);
    }
    fwrite(value, 1, (size_t)(size > 0 ? size : 0), stdout);
    if (size < 1 || value[size - 1] != '\n') {
        putchar('\n');
    }
    return 0;
}

static int print_stat(zhandle_t *zh, const char *path)
{
    struct Stat stat;
    int rc = zoo_exists(zh, path, 0, &stat);
    if (rc != ZOK) {
        return refuse(path, rc);
    }
    printf("czxid=%lld mzxid=%lld version=%d ephemeralOwner=%lld length=%d\n",
           (long long)stat.czxid, (long long)stat.mzxid, stat.version,
           (long long)stat.ephemeralOwner, stat.dataLength);
    return 0;
}

static int print_acl(zhandle_t *zh, const char *path)
{
    struct ACL_vector acl;
    struct Stat stat;
    int rc = zoo_get_acl(zh, path, &acl, &stat);
    if (rc != ZOK) {
        return refuse(path, rc);
    }
    for (int i = 0; i < acl.count; i++) {
        printf("%s%s:%s:%d", i ? " " : "", acl.data[i].id.scheme, acl.data[i].id.id,
               acl.data[i].perms);
    }
    printf("\n");
    deallocate_ACL_vector(&acl);
    return 0;
}

static int open_up(zhandle_t *zh, const char *path)
{
    int rc = zoo_set_acl(zh, path, -1, &ZOO_OPEN_ACL_UNSAFE);
    return rc == ZOK ? 0 : refuse(path, rc);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int children(zhandle_t *zh, const char *path, struct String_vector *ret_names)
{
    int rc = zoo_get_children(zh, path, 0, ret_names);
    if (rc == ZOK && ret_names->count) {
        qsort(ret_names->data, (size_t)ret_names->count, sizeof *ret_names->data, compare_names);
    }
    return rc;
}

static int list(zhandle_t *zh, const char *path)
{
    struct String_vector names;
    int rc = children(zh, path, &names);
    if (rc != ZOK) {
        return refuse(path, rc);
    }
    for (int i = 0; i < names.count; i++) {
        puts(names.data[i]);
    }
    deallocate_String_vector(&names);
    return 0;
}

/* The paths of a branch, parents first. A znode that goes while we look is passed over. */
enum { PATHS_MAX = 1000 };
static char *paths[PATHS_MAX];
static int path_count;

static int collect(zhandle_t *zh, const char *path)
{
    struct String_vector names;
    int rc = children(zh, path, &names);
    if (rc != ZOK) {
        return rc == ZNONODE && path_count ? 0 : refuse(path, rc);
    }
    if (path_count == PATHS_MAX) {
        return refuse(path, ZBADARGUMENTS);
    }
    paths[path_count++] = strdup(path);
    int failed = 0;
    for (int i = 0; i < names.count; i++) {
        char below[1024];
        snprintf(below, sizeof below, "%s/%s", strcmp(path, "/") ? path : "", names.data[i]);
        failed |= collect(zh, below);
    }
    deallocate_String_vector(&names);
    return failed;
}

static int print_tree(zhandle_t *zh, const char *path)
{
    int failed = collect(zh, path);
    for (int i = 0; i < path_count; i++) {
        struct Stat stat;
        int rc = zoo_exists(zh, paths[i], 0, &stat);
        if (rc == ZOK) {
            printf("%s %lld %lld %d\n", paths[i], (long long)stat.czxid, (long long)stat.mzxid,
                   stat.version);
        } else if (rc != ZNONODE) {
            failed |= refuse(paths[i], rc);
        }
    }
    return failed;
}

/* All at once: whoever puts things back sees it as a whole. Somebody writes below it meanwhile:
 * again. */
static int delete_tree(zhandle_t *zh, const char *path)
{
    static zoo_op_t ops[PATHS_MAX];
    static zoo_op_result_t results[PATHS_MAX];
    int rc = ZNOTEMPTY;
    for (int tries = 0; tries < 20 && (rc == ZNOTEMPTY || rc == ZNONODE); tries++) {
        path_count = 0;
        if (collect(zh, path)) {
            return 1;
        }
        for (int i = 0; i < path_count; i++) {
            zoo_delete_op_init(&ops[i], paths[path_count - 1 - i], -1);
        }
        rc = zoo_multi(zh, path_count, ops, results);
    }
    return rc == ZOK ? 0 : refuse(path, rc);
}

static int put(zhandle_t *zh, const char *verb, const char *path, const char *data)
{
    size_t size = strlen(data);
    if (!strcmp(data, "-")) {
        size = fread(value, 1, sizeof value, stdin);
        data = value;
    }
    int rc;
    if (!strcmp(verb, "set")) {
        rc = zoo_set(zh, path, data, (int)size, -1);
    } else {
        int mode = !strcmp(verb, "hold") ? ZOO_EPHEMERAL : 0;
        rc = zoo_create(zh, path, data, (int)size, &ZOO_OPEN_ACL_UNSAFE, mode, NULL, 0);
    }
    if (rc != ZOK) {
        return refuse(path, rc);
    }
    while (!strcmp(verb, "hold")) {
        pause();
    }
    return 0;
}

static int perform(zhandle_t *zh, const char *verb, const char *path, const char *data)
{
    if (data) {
        return put(zh, verb, path, data);
    }
    catch_up(zh, path);
    if (!strcmp(verb, "get")) {
        return get(zh, path);
    }
    if (!strcmp(verb, "stat")) {
        return print_stat(zh, path);
    }
    if (!strcmp(verb, "ls")) {
        return list(zh, path);
    }
    if (!strcmp(verb, "acl")) {
        return print_acl(zh, path);
    }
    if (!strcmp(verb, "open")) {
        return open_up(zh, path);
    }
    return !strcmp(verb, "tree") ? print_tree(zh, path) : delete_tree(zh, path);
}

/* Sent before all else, so nobody waits for it. */
static void authenticated(int rc, const void *data)
{
    (void)rc, (void)data;
}

static void show_auth(zhandle_t *zh)
{
    char all[1024];
    const char *auth = getenv("ZK_AUTH");
    snprintf(all, sizeof all, "%s", auth ? auth : "");
    for (char *rest = all, *one; (one = strtok_r(rest, " ", &rest));) {
        zoo_add_auth(zh, "digest", one, (int)strlen(one), authenticated, NULL);
    }
}

int main(int argc, char **argv)
{
    static const char *const verbs[] = {"get",  "stat",   "ls",  "tree",   "acl",
                                        "open", "delete", "set", "create", "hold"};
    enum { VALUELESS = 7, VERBS = sizeof verbs / sizeof *verbs };
    size_t verb = 0;
    while (argc > 3 && verb < VERBS && strcmp(argv[2], verbs[verb])) {
        verb++;
    }
    if (argc != (verb < VALUELESS ? 4 : 5) || verb == VERBS) {
        fputs("usage: zk SERVERS get|stat|ls|tree|acl|open|delete PATH\n       zk SERVERS "
              "set|create|hold PATH VALUE\n",
              stderr);
        return 2;
    }
    zhandle_t *zh = connect_to(argv[1]);
    if (!zh) {
        fprintf(stderr, "zk: %s: not reached\n", argv[1]);
        return 3;
    }
    show_auth(zh);
    int rc = perform(zh, argv[2], argv[3], argv[4]);
    zookeeper_close(zh);
    return rc;
}
