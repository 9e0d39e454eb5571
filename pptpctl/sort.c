/* The order of a table's rows. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pptpctl/pptpctl.h"

struct sortable {
	json_t *row;
	const char *const *keys;
	size_t place; /* which decides where the keys don't */
};

/* A run of digits by its value, whatever its length. */
static int
compare_digits(const char **a, const char **b)
{
	size_t n, m;
	int order;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	n = strspn(*a, "0123456789");
	m = strspn(*b, "0123456789");
	order = n != m ? (n < m ? -1 : 1) : strncmp(*a, *b, n);
	*a += n;
	*b += m;
	return order;
}

/* 9.1 before 10, and 10.0.0.9 before 10.0.0.10; only the first words count. */
static int
compare_words(const char *a, const char *b)
{
	while (*a != '\0' && *a != ' ' && *b != '\0' && *b != ' ') {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			int order = compare_digits(&a, &b);

			if (order != 0)
				return order;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return (*a != '\0' && *a != ' ') - (*b != '\0' && *b != ' ');
}

static int
compare_values(json_t *a, json_t *b)
{
	json_int_t n = json_integer_value(a), m = json_integer_value(b);

	if (json_is_string(a) && json_is_string(b))
		return compare_words(json_string_value(a), json_string_value(b));
	return (n > m) - (n < m);
}

static int
compare(const void *one, const void *other)
{
	const struct sortable *a = one, *b = other;

	for (size_t i = 0; a->keys[i] != NULL; i++) {
		int order = compare_values(json_object_get(a->row, a->keys[i]), json_object_get(b->row, a->keys[i]));

		if (order != 0)
			return order;
	}
	return (a->place > b->place) - (a->place < b->place);
}

void
sort_rows(json_t *rows, const char *const *keys)
{
	size_t n = json_array_size(rows);
	struct sortable *all = n > 1 ? calloc(n, sizeof(*all)) : NULL;

	if (all == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		all[i] = (struct sortable){json_incref(json_array_get(rows, i)), keys, i};
	qsort(all, n, sizeof(*all), compare);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(rows, i, all[i].row);
	free(all);
}
