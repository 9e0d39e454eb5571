#include "sys/conf.h"

#include <stdio.h>
#include <string.h>

static void
print_string(const char *s, FILE *fp)
{
	fputc('"', fp);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(fp, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(fp, "\\x%02x", (unsigned char)*s);
		else
			fputc(*s, fp);
	}
	fputc('"', fp);
}

/* "1e+300" holds a character that only stands in quotes. */
static void
print_float(double value, FILE *fp)
{
	char text[40];

	snprintf(text, sizeof(text), "%.17g", value);
	if (strchr(text, '+') != NULL)
		print_string(text, fp);
	else
		fputs(text, fp);
}

static void
print_value(cfg_opt_t *opt, unsigned i, FILE *fp)
{
	if (opt->pf != NULL)
		opt->pf(opt, i, fp);
	else if (opt->type == CFGT_INT)
		fprintf(fp, "%ld", cfg_opt_getnint(opt, i));
	else if (opt->type == CFGT_FLOAT)
		print_float(cfg_opt_getnfloat(opt, i), fp);
	else if (opt->type == CFGT_BOOL)
		fputs(cfg_opt_getnbool(opt, i) ? "yes" : "no", fp);
	else
		print_string(cfg_opt_getnstr(opt, i), fp);
}

static void
print_indent(int depth, FILE *fp)
{
	while (depth-- > 0)
		fputc('\t', fp);
}

static void
print_list(cfg_opt_t *opt, int depth, FILE *fp)
{
	print_indent(depth, fp);
	fprintf(fp, "%s = {", opt->name);
	for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
		fputs(i > 0 ? ", " : "", fp);
		print_value(opt, i, fp);
	}
	fputs("}\n", fp);
}

static void
print_single(cfg_opt_t *opt, int depth, FILE *fp)
{
	/* An option without a value, and none by default, has no text that would set it so. */
	if (cfg_opt_size(opt) == 0 || (opt->type == CFGT_STR && cfg_opt_getnstr(opt, 0) == NULL))
		return;
	print_indent(depth, fp);
	fprintf(fp, "%s = ", opt->name);
	print_value(opt, 0, fp);
	fputc('\n', fp);
}

static void
print_options(cfg_t *cfg, int depth, FILE *fp)
{
	for (cfg_opt_t *opt = cfg->opts; opt != NULL && opt->name != NULL; opt++) {
		if (opt->type == CFGT_SEC) {
			for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
				cfg_t *section = cfg_opt_getnsec(opt, i);

				print_indent(depth, fp);
				fprintf(fp, "%s ", opt->name);
				if (section->title != NULL) {
					print_string(section->title, fp);
					fputc(' ', fp);
				}
				fputs("{\n", fp);
				print_options(section, depth + 1, fp);
				print_indent(depth, fp);
				fputs("}\n", fp);
			}
		} else if ((opt->flags & CFGF_LIST) != 0) {
			print_list(opt, depth, fp);
		} else if (opt->type != CFGT_FUNC && (opt->type != CFGT_PTR || opt->pf != NULL)) {
			print_single(opt, depth, fp);
		}
	}
}

void
conf_print_to(cfg_t *cfg, FILE *fp)
{
	print_options(cfg, 0, fp);
}

void
conf_print(cfg_t *cfg)
{
	conf_print_to(cfg, stdout);
}
