/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct store_writer: the writer, its flight recorder, lists of findings. */
#ifndef VFIOTRACE_STORE_WRITER_H
#define VFIOTRACE_STORE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/redact.h"
#include "store/store_private.h"

struct finding_rows {
	struct row_finding *items;
	uint64_t count, capacity;
};
/* One per key: the newest. Takes `row` over; false: without memory. */
bool findings__keep(struct finding_rows *rows, const struct row_finding *row);
void findings__drop(struct finding_rows *rows, const char *key);
void findings__release(struct finding_rows *rows);

/* Flight recorder: the newest events, at most FLIGHT_EVENTS of them. */
#define FLIGHT_EVENTS (1u << 20)
struct flight {
	struct trace_event *items; /* NULL: not armed */
	uint64_t window;
	uint64_t most; /* events that fit the size limit of the file */
	uint32_t next, count;
};
int flight__init(struct flight *flight, const struct store_options *options);
void flight__release(struct flight *flight);
void flight__add(struct flight *flight, const struct trace_event *event);
/* The events of the window, newest last, into a copy that `fired` owns; the recorder is empty then.
 */
int flight__take(struct flight *flight, struct row_fired *fired);

struct tables;

struct store_writer {
	struct model *model;
	struct queue *queue;
	struct sink *sink; /* the writing thread's, once it runs */
	struct tables *tables;
	struct redactor *redactor; /* NULL: everything is written as it is */
	struct flight flight;
	struct finding_rows waiting; /* did not fit into the queue */
	struct row_fired fired;	     /* what a trigger took and is not queued yet; why NULL: none */
	bool begins_again, whole;    /* the graph is to be sent again; was, to the end */
	/* the writing thread's: */
	struct finding_rows retained; /* from failed batches */
	struct row_fired kept_flight; /* likewise; why NULL: none */
	bool incomplete;	      /* rows of a failed batch are not in the file yet */
	pthread_t thread;
	bool running;
	atomic_int thread_id; /* 0: its priority stays as it is */
	int usual_nice;
	atomic_bool raise_priority; /* what is queued now is more than events */
	bool gap;		    /* events were lost since the last one that was queued */
	atomic_uint failures;	    /* batches that could not be written */
	atomic_int last_error;
	pthread_mutex_t error_lock;
	char error[512], error_shown[512]; /* of the last failed batch; what was handed out */
	_Atomic uint64_t lost;		   /* events and findings */
	uint32_t seen_failures;
	uint64_t losses_before; /* what the model had lost on the way to a file before this one */
};
/* As the options say: whole, or with pseudonyms. */
bool store_writer__encode(const struct store_writer *w, const struct finding *f,
			  struct row_finding *row);
/* The whole graph, and waits until it is in the file. false: a batch failed, or no memory. */
bool store_writer__send_until_done(struct store_writer *w);
void store_writer__free(struct store_writer *w);
void *store_writer__thread(void *context);
void store_writer__raise_priority(struct store_writer *w);

#endif
