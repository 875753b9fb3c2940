#include "tests/unit/drivers/fake_client.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CELLS_MAX = 32, ROWS_MAX = 80, CELL_SIZE = 256 };

struct cell {
    char name[CELL_SIZE], value[CELL_SIZE];
    bool null;
};

struct client {
    size_t rows, columns[ROWS_MAX];
    struct cell cells[ROWS_MAX][CELLS_MAX];
};

static struct client client;

static void add_cell(size_t row, const char *name, const char *value)
{
    struct cell *cell = &client.cells[row][client.columns[row]++];
    snprintf(cell->name, sizeof cell->name, "%s", name);
    snprintf(cell->value, sizeof cell->value, "%s", value ? value : "");
    cell->null = !value;
}

/* Calls `add` for every line, "" for an empty one. */
static void each_line(const char *text, void (*add)(const char *name, const char *value))
{
    while (*text) {
        char line[CELL_SIZE];
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        char *value = strchr(line, '=');
        if (value) {
            *value++ = '\0';
        }
        add(line, value);
        text += length + (text[length] == '\n');
    }
}

static void add_to_row(const char *name, const char *value)
{
    if (!*name) {
        client.rows++;
        return;
    }
    add_cell(client.rows, name, value);
}

static void add_variable(const char *name, const char *value)
{
    add_cell(client.rows, "Variable_name", name);
    add_cell(client.rows++, "Value", value);
}

const struct client *fake_result(const char *text)
{
    client = (struct client){0};
    each_line(text, add_to_row);
    client.rows += client.columns[client.rows] > 0;
    return &client;
}

const struct client *fake_variables(const char *text)
{
    client = (struct client){0};
    each_line(text, add_variable);
    return &client;
}

/* ---- mysql_client.h -------------------------------------------------------------------------- */

size_t client_rows(const struct client *it)
{
    return it->rows;
}

size_t client_columns(const struct client *it)
{
    return it->columns[0];
}

const char *client_column(const struct client *it, size_t column)
{
    return it->cells[0][column].name;
}

static const struct cell *find(const struct client *it, size_t row, const char *name)
{
    for (size_t i = 0; name && row < it->rows && i < it->columns[row]; i++) {
        if (strcasecmp(it->cells[row][i].name, name) == 0) {
            return &it->cells[row][i];
        }
    }
    return NULL;
}

const char *client_value(const struct client *it, size_t row, const char *name,
                         const char *other_name)
{
    const struct cell *cell = find(it, row, name);
    cell = cell ? cell : find(it, row, other_name);
    return cell && !cell->null ? cell->value : NULL;
}
