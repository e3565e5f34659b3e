/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that build JSON records share; the contract is include/report.h. */
#ifndef VFIOTRACE_REPORT_JSON_PRIVATE_H
#define VFIOTRACE_REPORT_JSON_PRIVATE_H

#include <jansson.h>

#include "report.h"

json_t *json_count(uint64_t count); /* capped at INT64_MAX */
const char *json_mode(uint8_t mode);
json_t *json_site(const struct model *m, uint32_t stack); /* innermost frame or null */
/* A record with the model's clock relation. */
json_t *json_model_record(const struct model *m, const char *type, uint64_t mono);
json_t *json_probes(const struct probe_info *probes, uint32_t count);
json_t *json_fixes(const struct fix *fixes, uint32_t count);
json_t *json_finding_list(const struct model *m, const struct finding_list *findings);

#endif
