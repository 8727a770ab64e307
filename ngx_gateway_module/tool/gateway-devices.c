/*
 * gateway-devices - the command that keeps the registry of devices
 * (auth/registry.sql), see README.md.
 *
 * A secret is shown once, on stdout, before what made it is committed: where
 * it cannot be shown, nothing has been done.  None is taken from the command
 * line, which everybody on the machine can read.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "credential.h"
#include "import.h"
#include "list.h"
#include "store.h"
#include "tool.h"


/* options are bits: those of the columns, those beyond; bit DEVICE_N is of a
   column that there is not, and no option */

#define OPTION_HMAC  (1u << (DEVICE_N + 1))
#define OPTION_JSON  (1u << (DEVICE_N + 2))
#define OPTION_CSV   (1u << (DEVICE_N + 3))

#define OPTION_SETTINGS                                                       \
    (1u << DEVICE_CLASSES | 1u << DEVICE_TENANT | 1u << DEVICE_TOPICS         \
     | 1u << DEVICE_SPEAKS_FOR | 1u << DEVICE_NOT_BEFORE                      \
     | 1u << DEVICE_NOT_AFTER)

/* what must follow the command */

enum {
    TAKES_NOTHING = 0,
    TAKES_DEVICE,
    TAKES_PREFIX,              /* of a device, may be left out */
    TAKES_FILE
};


typedef struct {
    const char  *file;
    const char  *operand;      /* NULL: none */
    unsigned     options;
    device_t     device;
} arguments_t;

typedef struct {
    const char       *name;
    int               takes;
    unsigned          options;
    int               write;
    tool_status_e   (*run)(store_t *s, arguments_t *a);
} command_t;


static tool_status_e command_run(int argc, char **argv);
static tool_status_e arguments_read(arguments_t *a, const command_t *command,
    int argc, char **argv);
static tool_status_e arguments_option(arguments_t *a,
    const command_t *command, const char *arg);
static tool_status_e arguments_operand(arguments_t *a,
    const command_t *command, const char *arg);
static tool_status_e command_add(store_t *s, arguments_t *a);
static tool_status_e command_set(store_t *s, arguments_t *a);
static tool_status_e command_remove(store_t *s, arguments_t *a);
static tool_status_e command_disable(store_t *s, arguments_t *a);
static tool_status_e command_enable(store_t *s, arguments_t *a);
static tool_status_e command_rotate(store_t *s, arguments_t *a);
static tool_status_e command_list(store_t *s, arguments_t *a);
static tool_status_e command_import(store_t *s, arguments_t *a);
static tool_status_e command_update(store_t *s, arguments_t *a);
static tool_status_e command_secret(store_t *s, arguments_t *a, char *text);
static tool_status_e command_unknown(tool_status_e status, arguments_t *a);


static const command_t  commands[] = {

    { "create", TAKES_NOTHING, 0, 1, NULL },

    { "add", TAKES_DEVICE, OPTION_SETTINGS | OPTION_HMAC, 1, command_add },

    { "set", TAKES_DEVICE, OPTION_SETTINGS, 1, command_set },

    { "remove", TAKES_DEVICE, 0, 1, command_remove },

    { "disable", TAKES_DEVICE, 0, 1, command_disable },

    { "enable", TAKES_DEVICE, 0, 1, command_enable },

    { "rotate", TAKES_DEVICE, OPTION_HMAC, 1, command_rotate },

    { "list", TAKES_PREFIX, OPTION_JSON | OPTION_CSV, 0, command_list },

    { "import", TAKES_FILE, 0, 1, command_import },

    { NULL, 0, 0, 0, NULL }
};


static const char  usage[] =
    "usage: gateway-devices FILE COMMAND\n"
    "\n"
    "  create                    a new registry, mode 0600\n"
    "  add DEVICE [SETTING...] [--hmac]\n"
    "                            prints its token, with --hmac its key\n"
    "  set DEVICE SETTING...     an empty value is the default\n"
    "  remove DEVICE\n"
    "  disable DEVICE            refused until it is enabled\n"
    "  enable DEVICE\n"
    "  rotate DEVICE [--hmac]    a new token, or key; the old one ends\n"
    "  list [--json|--csv] [DEVICE-PREFIX]\n"
    "  import CSV|-              many devices or none; prints device,token\n"
    "\n"
    "  --classes=LIST            classes it may send, \"*\" for all (none)\n"
    "  --tenant=TENANT           whose it is (nobody's)\n"
    "  --topics=LIST             topics it may name, \"a.*\" for all of a\n"
    "  --speaks-for=LIST         devices it may send for, \"a.*\" as above\n"
    "  --not-before=TIME         RFC 3339 or seconds since 1970\n"
    "  --not-after=TIME          the first second it is refused again\n"
    "\n"
    "status: 0 done, 1 refused or failed, nothing is changed, 2 usage\n";


/* exit statuses, on which scripts rely: 0 done, 1 not done, 2 usage */

int
main(int argc, char **argv)
{
    tool_status_e  status;

    status = command_run(argc, argv);

    return status == TOOL_DONE ? 0 : status == TOOL_USAGE ? 2 : 1;
}


static tool_status_e
command_run(int argc, char **argv)
{
    int               i;
    store_t          *s;
    arguments_t       a;
    tool_status_e     status;
    const command_t  *command;

    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return tool_shown();
        }
    }

    if (argc < 3) {
        fputs(usage, stderr);
        return TOOL_USAGE;
    }

    for (command = commands; command->name; command++) {
        if (strcmp(command->name, argv[2]) == 0) {
            break;
        }
    }

    if (command->name == NULL) {
        tool_say("unknown command (--help lists them)");
        return TOOL_USAGE;
    }

    memset(&a, 0, sizeof(a));
    a.file = argv[1];

    status = arguments_read(&a, command, argc - 3, argv + 3);
    if (status != TOOL_DONE) {
        return status;
    }

    if (command->run == NULL) {
        return store_create(a.file);
    }

    s = store_open(a.file, command->write);
    if (s == NULL) {
        return TOOL_FAILED;
    }

    status = TOOL_DONE;

    if (command->write) {
        status = store_begin(s, command->takes == TAKES_FILE);
    }

    if (status == TOOL_DONE) {
        status = command->run(s, &a);
    }

    if (status == TOOL_DONE) {
        status = tool_shown();
    }

    if (status == TOOL_DONE && command->write) {
        status = store_commit(s);
    }

    store_close(s);

    return status;
}


void
tool_say(const char *fmt, ...)
{
    va_list  args;

    fputs("gateway-devices: ", stderr);

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fputc('\n', stderr);
}


tool_status_e
tool_shown(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        tool_say("cannot write to standard output");
        return TOOL_FAILED;
    }

    return TOOL_DONE;
}


static tool_status_e
arguments_read(arguments_t *a, const command_t *command, int argc,
    char **argv)
{
    int            i, options;
    tool_status_e  status;

    device_init(&a->device);
    options = 1;

    for (i = 0; i < argc; i++) {

        if (options && strcmp(argv[i], "--") == 0) {
            options = 0;
            continue;
        }

        if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            status = arguments_option(a, command, argv[i]);

        } else {
            status = arguments_operand(a, command, argv[i]);
        }

        if (status != TOOL_DONE) {
            return status;
        }
    }

    if (a->operand == NULL
        && (command->takes == TAKES_DEVICE || command->takes == TAKES_FILE))
    {
        tool_say("\"%s\" wants a %s", command->name,
                 command->takes == TAKES_FILE ? "CSV file" : "device");
        return TOOL_USAGE;
    }

    if (command->run == command_set && a->options == 0) {
        tool_say("\"set\" wants something to set");
        return TOOL_USAGE;
    }

    if ((a->options & OPTION_JSON) && (a->options & OPTION_CSV)) {
        tool_say("--json and --csv exclude each other");
        return TOOL_USAGE;
    }

    if (device_check(&a->device)) {
        tool_say("%s", device_check(&a->device));
        return TOOL_REFUSED;
    }

    return TOOL_DONE;
}


/* "--speaks-for=a" is column speaks_for; what is behind "=" is never shown */

static tool_status_e
arguments_option(arguments_t *a, const command_t *command, const char *arg)
{
    char         name[32];
    size_t       i, n;
    unsigned     bit;
    const char  *value, *error;

    n = strcspn(arg, "=");
    value = arg[n] == '=' ? arg + n + 1 : NULL;
    bit = 0;

    if (n > 2 && n < sizeof(name) && arg[1] == '-') {
        n -= 2;

        for (i = 0; i < n; i++) {
            name[i] = arg[i + 2] == '-' ? '_' : arg[i + 2];
        }

        name[n] = '\0';

        bit = strcmp(name, "hmac") == 0 ? OPTION_HMAC
              : strcmp(name, "json") == 0 ? OPTION_JSON
              : strcmp(name, "csv") == 0 ? OPTION_CSV
              : 1u << device_column((uint8_t *) name, n);
    }

    if ((bit & command->options) == 0) {
        tool_say("\"%s\" has no such option (--help lists them)",
                 command->name);
        return TOOL_USAGE;
    }

    if (a->options & bit) {
        tool_say("option --%.*s is duplicate", (int) n, arg + 2);
        return TOOL_USAGE;
    }

    a->options |= bit;

    if ((value != NULL) != ((bit & OPTION_SETTINGS) != 0)) {
        tool_say("option --%.*s %s", (int) n, arg + 2,
                 value ? "takes no value" : "wants a value behind \"=\"");
        return TOOL_USAGE;
    }

    if (value == NULL) {
        return TOOL_DONE;
    }

    error = device_read(&a->device, device_column((uint8_t *) name, n),
                        (const uint8_t *) value, strlen(value));

    if (error) {
        tool_say("--%.*s %s", (int) n, arg + 2, error);
        return TOOL_REFUSED;
    }

    return TOOL_DONE;
}


static tool_status_e
arguments_operand(arguments_t *a, const command_t *command, const char *arg)
{
    const char  *error;

    if (a->operand || command->takes == TAKES_NOTHING) {
        tool_say("too many words behind \"%s\"", command->name);
        return TOOL_USAGE;
    }

    a->operand = arg;

    if (command->takes == TAKES_FILE
        || (command->takes == TAKES_PREFIX && arg[0] == '\0'))
    {
        return TOOL_DONE;
    }

    error = device_read(&a->device, DEVICE_ID, (const uint8_t *) arg,
                        strlen(arg));

    if (error) {
        tool_say("a device's name %s", error);
        return TOOL_REFUSED;
    }

    return TOOL_DONE;
}


static tool_status_e
command_add(store_t *s, arguments_t *a)
{
    char           text[DEVICE_SECRET_TEXT + 1];
    tool_status_e  status;

    status = command_secret(s, a, text);

    if (status == TOOL_DONE) {
        status = store_insert(s, &a->device);

        if (status == TOOL_REFUSED) {
            tool_say("device \"%s\" exists already", a->operand);
        }
    }

    if (status == TOOL_DONE) {
        puts(text);
    }

    return status;
}


static tool_status_e
command_set(store_t *s, arguments_t *a)
{
    tool_status_e  status;

    status = command_update(s, a);

    if (status == TOOL_DONE
        && store_bad_times(s, &a->device.text[DEVICE_ID]))
    {
        tool_say("%s", device_bad_times);
        return TOOL_REFUSED;
    }

    return status;
}


static tool_status_e
command_remove(store_t *s, arguments_t *a)
{
    return command_unknown(store_remove(s, &a->device.text[DEVICE_ID]), a);
}


static tool_status_e
command_disable(store_t *s, arguments_t *a)
{
    a->device.given |= 1u << DEVICE_ENABLED;
    a->device.enabled = 0;

    return command_update(s, a);
}


static tool_status_e
command_enable(store_t *s, arguments_t *a)
{
    a->device.given |= 1u << DEVICE_ENABLED;
    a->device.enabled = 1;

    return command_update(s, a);
}


static tool_status_e
command_rotate(store_t *s, arguments_t *a)
{
    char           text[DEVICE_SECRET_TEXT + 1];
    tool_status_e  status;

    status = command_secret(s, a, text);

    if (status == TOOL_DONE) {
        status = command_update(s, a);
    }

    if (status == TOOL_DONE) {
        puts(text);
    }

    return status;
}


static tool_status_e
command_list(store_t *s, arguments_t *a)
{
    return list_devices(s, a->options & OPTION_JSON ? LIST_JSON
                           : a->options & OPTION_CSV ? LIST_CSV : LIST_TABLE,
                        &a->device.text[DEVICE_ID]);
}


static tool_status_e
command_import(store_t *s, arguments_t *a)
{
    return import_devices(s, a->operand);
}


static tool_status_e
command_update(store_t *s, arguments_t *a)
{
    return command_unknown(store_update(s, &a->device), a);
}


static tool_status_e
command_secret(store_t *s, arguments_t *a, char *text)
{
    int  rc;

    if ((a->options & OPTION_HMAC) && store_exposed(s)) {
        tool_say("\"%s\", its -wal or its -shm may be read by others, no key"
                 " is kept in it (chmod 640 or less)", a->file);
        return TOOL_REFUSED;
    }

    rc = a->options & OPTION_HMAC ? credential_key(&a->device, text)
                                  : credential_token(&a->device, text);

    if (rc != GW_OK) {
        tool_say("no random bytes can be drawn");
        return TOOL_FAILED;
    }

    return TOOL_DONE;
}


static tool_status_e
command_unknown(tool_status_e status, arguments_t *a)
{
    if (status == TOOL_REFUSED) {
        tool_say("no device \"%s\"", a->operand);
    }

    return status;
}
