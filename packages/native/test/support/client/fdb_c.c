/*
 * A stand-in for FoundationDB's client library, by which the prebuilt binding can be driven on a machine without it: a
 * network thread, a store in memory without conflicts, watches, timeouts, cancellation. The tests compile it where there
 * is a C compiler. It knows no cluster; with STUB_SILENT set it answers nothing, like a client that finds none,
 * and with STUB_SETUP its network cannot be set up, for the error of that number.
 *
 * What the real library would punish by a crash ends the process with an abort and a word on the standard error.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int fdb_error_t;
typedef int fdb_bool_t;
typedef struct future FDBFuture;
typedef struct transaction FDBTransaction;
typedef struct database FDBDatabase;
typedef void (*FDBCallback)(FDBFuture *, void *);

enum { NONE, VALUE, INT64, KEY, RANGE };
enum { FUTURE = 0x66757475, TRANSACTION = 0x7472616e, DATABASE = 0x64617461 };

typedef struct bytes { uint8_t *data; int length; } bytes;
typedef struct entry { bytes key, value; struct entry *next; } entry;

struct future {
  int magic, kind, settled, ready, present, is_watch, committed;
  fdb_error_t error;
  int64_t number;
  bytes value, key;
  FDBCallback callback;
  void *argument;
  FDBTransaction *owner;
  FDBFuture *previous, *next;        /* all futures */
  FDBFuture *next_settled;           /* those that the network thread has to complete */
};

struct transaction {
  int magic, cancelled;
  int64_t deadline, version;
  entry *writes;
  FDBFuture *stamp;
};

struct database { int magic; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work;
static int stopping, selected, transactions;
static int64_t version = 1000000;
static FDBFuture *futures, *first_settled, *last_settled;
static entry *store;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void check(void *object, int magic, const char *what) {
  if (object != NULL && *(int *)object == magic) return;
  fprintf(stderr, "stub: %s\n", what);
  abort();
}

static bytes copy(const uint8_t *data, int length) {
  bytes result = { malloc(length + 1), length };
  memcpy(result.data, data, length);
  return result;
}

static int equal(bytes a, bytes b) { return a.length == b.length && memcmp(a.data, b.data, a.length) == 0; }

static entry *find(entry *list, bytes key) {
  for (; list != NULL; list = list->next) if (equal(list->key, key)) return list;
  return NULL;
}

static void put(entry **list, bytes key, bytes value) {
  entry *found = find(*list, key);
  if (found == NULL) {
    found = calloc(1, sizeof *found);
    found->key = copy(key.data, key.length);
    found->next = *list;
    *list = found;
  } else free(found->value.data);
  found->value = copy(value.data, value.length);
}

static void forget(entry **list) {
  while (*list != NULL) {
    entry *gone = *list;
    *list = gone->next;
    free(gone->key.data);
    free(gone->value.data);
    free(gone);
  }
}

/* From here on with the lock held. */

static void settle(FDBFuture *future, fdb_error_t error) {
  if (future->settled) return;
  future->settled = 1;
  future->error = error;
  future->next_settled = NULL;
  if (last_settled != NULL) last_settled->next_settled = future;
  else first_settled = future;
  last_settled = future;
  pthread_cond_signal(&work);
}

static FDBFuture *begin(FDBTransaction *owner, int kind) {
  FDBFuture *future = calloc(1, sizeof *future);
  future->magic = FUTURE;
  future->kind = kind;
  future->owner = owner;
  future->next = futures;
  if (futures != NULL) futures->previous = future;
  futures = future;
  if (owner->cancelled) settle(future, 1025);
  return future;
}

static void answer(FDBFuture *future) {
  if (getenv("STUB_SILENT") == NULL) settle(future, 0);
}

/* Watches of a commit live on without their transaction. */
static void end_all(FDBTransaction *transaction, fdb_error_t error) {
  for (FDBFuture *future = futures; future != NULL; future = future->next) {
    if (future->owner == transaction && !(future->is_watch && future->committed)) settle(future, error);
  }
}

static void orphan(FDBTransaction *transaction) {
  for (FDBFuture *future = futures; future != NULL; future = future->next) {
    if (future->owner == transaction) future->owner = NULL;
  }
}

static void apply(FDBTransaction *transaction) {
  transaction->version = transaction->writes == NULL ? -1 : ++version;
  for (entry *write = transaction->writes; write != NULL; write = write->next) {
    put(&store, write->key, write->value);
    for (FDBFuture *future = futures; future != NULL; future = future->next) {
      if (future->is_watch && future->committed && equal(future->key, write->key)) settle(future, 0);
    }
  }
  for (FDBFuture *future = futures; future != NULL; future = future->next) {
    if (future->is_watch && future->owner == transaction) future->committed = 1;
  }
}

/* The network thread. */

/* FoundationDB: the network was not set up. */
static const fdb_error_t not_set_up = 2008;
static int is_set_up = 0;

fdb_error_t fdb_run_network(void) {
  if (!is_set_up) return not_set_up;
  pthread_mutex_lock(&lock);
  while (!stopping) {
    FDBFuture *future = first_settled;
    if (future != NULL) {
      first_settled = future->next_settled;
      if (first_settled == NULL) last_settled = NULL;
      future->ready = 1;
      FDBCallback callback = future->callback;
      void *argument = future->argument;
      pthread_mutex_unlock(&lock);
      if (callback != NULL) callback(future, argument); /* may block: the binding's queue has 16 places */
      pthread_mutex_lock(&lock);
      continue;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 2000000;
    if (until.tv_nsec >= 1000000000) { until.tv_nsec -= 1000000000; until.tv_sec++; }
    pthread_cond_timedwait(&work, &lock, &until);
    for (future = futures; future != NULL; future = future->next) {
      FDBTransaction *owner = future->owner;
      int bounded = owner != NULL && owner->deadline > 0 && !(future->is_watch && future->committed);
      if (bounded && owner->deadline <= now()) settle(future, 1031);
    }
  }
  pthread_mutex_unlock(&lock);
  return 0;
}

fdb_error_t fdb_setup_network(void) {
  const char *text = getenv("STUB_SETUP");
  if (text != NULL) return atoi(text);
  is_set_up = 1;
  return pthread_cond_init(&work, NULL);
}

fdb_error_t fdb_stop_network(void) {
  if (!is_set_up) return not_set_up;
  pthread_mutex_lock(&lock);
  stopping = 1;
  int alive = 0;
  for (FDBFuture *future = futures; future != NULL; future = future->next) alive++;
  if (getenv("STUB_COUNT") != NULL) fprintf(stderr, "{\"futures\":%d,\"transactions\":%d}\n", alive, transactions);
  pthread_cond_signal(&work);
  pthread_mutex_unlock(&lock);
  return 0;
}

fdb_error_t fdb_select_api_version_impl(int runtime, int header) {
  const char *text = getenv("STUB_API_VERSION");
  int highest = text == NULL ? 730 : atoi(text);
  if (selected != 0) return 2201;
  if (header > highest || runtime > header) return 2203;
  selected = runtime;
  return 0;
}

fdb_error_t fdb_network_set_option(int code, const uint8_t *value, int length) {
  (void)value, (void)length;
  return code == 40 && length > 0 && value[0] == '?' ? 2006 : 0;
}

const char *fdb_get_error(fdb_error_t code) { (void)code; return "an error of the stub"; }
fdb_bool_t fdb_error_predicate(int predicate, fdb_error_t code) { (void)predicate, (void)code; return 0; }

/* Futures. */

fdb_error_t fdb_future_set_callback(FDBFuture *future, FDBCallback callback, void *argument) {
  check(future, FUTURE, "a callback for what is no future");
  pthread_mutex_lock(&lock);
  int ready = future->ready;
  future->callback = callback;
  future->argument = argument;
  pthread_mutex_unlock(&lock);
  if (ready) callback(future, argument);
  return 0;
}

void fdb_future_cancel(FDBFuture *future) {
  check(future, FUTURE, "cancelled what is no future");
  pthread_mutex_lock(&lock);
  settle(future, 1101);
  pthread_mutex_unlock(&lock);
}

void fdb_future_destroy(FDBFuture *future) {
  check(future, FUTURE, "destroyed what is no future");
  pthread_mutex_lock(&lock);
  if (future->previous != NULL) future->previous->next = future->next;
  else futures = future->next;
  if (future->next != NULL) future->next->previous = future->previous;
  pthread_mutex_unlock(&lock);
  future->magic = 0;
  free(future->value.data);
  free(future->key.data);
  free(future);
}

fdb_error_t fdb_future_get_error(FDBFuture *future) { return future->error; }

fdb_error_t fdb_future_get_int64(FDBFuture *future, int64_t *number) {
  *number = future->number;
  return future->error;
}

fdb_error_t fdb_future_get_key(FDBFuture *future, const uint8_t **key, int *length) {
  *key = future->value.data;
  *length = future->value.length;
  return future->error;
}

fdb_error_t fdb_future_get_value(FDBFuture *future, fdb_bool_t *present, const uint8_t **value, int *length) {
  *present = future->present;
  *value = future->value.data;
  *length = future->value.length;
  return future->error;
}

fdb_error_t fdb_future_get_keyvalue_array(FDBFuture *future, const void **pairs, int *count, fdb_bool_t *more) {
  *pairs = NULL;
  *count = 0;
  *more = 0;
  return future->error;
}

fdb_error_t fdb_future_get_key_array(FDBFuture *f, const void **keys, int *n) { (void)f, *keys = NULL, *n = 0; return 0; }
fdb_error_t fdb_future_get_string_array(FDBFuture *f, const void **s, int *n) { (void)f, *s = NULL, *n = 0; return 0; }

/* Databases and transactions. */

fdb_error_t fdb_create_database(const char *file, FDBDatabase **database) {
  (void)file;
  if (!is_set_up) return not_set_up;
  *database = calloc(1, sizeof **database);
  (*database)->magic = DATABASE;
  return 0;
}

void fdb_database_destroy(FDBDatabase *database) {
  check(database, DATABASE, "destroyed what is no database");
  database->magic = 0;
  free(database);
}

fdb_error_t fdb_database_set_option(FDBDatabase *database, int code, const uint8_t *value, int length) {
  (void)database, (void)value, (void)length;
  return code == 20 && length == 8 && *(const int64_t *)value > 1000000 ? 2006 : 0;
}

fdb_error_t fdb_database_create_transaction(FDBDatabase *database, FDBTransaction **transaction) {
  check(database, DATABASE, "a transaction of what is no database");
  *transaction = calloc(1, sizeof **transaction);
  (*transaction)->magic = TRANSACTION;
  (*transaction)->version = -1;
  transactions++;
  return 0;
}

void fdb_transaction_cancel(FDBTransaction *transaction) {
  pthread_mutex_lock(&lock);
  transaction->cancelled = 1;
  end_all(transaction, 1025);
  pthread_mutex_unlock(&lock);
}

void fdb_transaction_reset(FDBTransaction *transaction) {
  pthread_mutex_lock(&lock);
  end_all(transaction, 1025);
  orphan(transaction);
  forget(&transaction->writes);
  transaction->cancelled = 0;
  transaction->deadline = 0;
  transaction->stamp = NULL;
  pthread_mutex_unlock(&lock);
}

void fdb_transaction_destroy(FDBTransaction *transaction) {
  check(transaction, TRANSACTION, "destroyed what is no transaction");
  fdb_transaction_reset(transaction);
  transactions--;
  transaction->magic = 0;
  free(transaction);
}

fdb_error_t fdb_transaction_set_option(FDBTransaction *transaction, int code, const uint8_t *value, int length) {
  if (code == 500 && length == 8) transaction->deadline = now() + *(const int64_t *)value;
  return 0;
}

FDBFuture *fdb_transaction_get_read_version(FDBTransaction *transaction) {
  pthread_mutex_lock(&lock);
  FDBFuture *future = begin(transaction, INT64);
  future->number = version;
  answer(future);
  pthread_mutex_unlock(&lock);
  return future;
}

FDBFuture *fdb_transaction_get(FDBTransaction *transaction, const uint8_t *key, int length, fdb_bool_t snapshot) {
  (void)snapshot;
  bytes wanted = { (uint8_t *)key, length };
  pthread_mutex_lock(&lock);
  FDBFuture *future = begin(transaction, VALUE);
  entry *found = find(transaction->writes, wanted);
  if (found == NULL) found = find(store, wanted);
  if (found != NULL) {
    future->present = 1;
    future->value = copy(found->value.data, found->value.length);
  }
  answer(future);
  pthread_mutex_unlock(&lock);
  return future;
}

FDBFuture *fdb_transaction_watch(FDBTransaction *transaction, const uint8_t *key, int length) {
  pthread_mutex_lock(&lock);
  FDBFuture *future = begin(transaction, NONE);
  future->is_watch = 1;
  future->key = copy(key, length);
  pthread_mutex_unlock(&lock);
  return future;
}

FDBFuture *fdb_transaction_get_versionstamp(FDBTransaction *transaction) {
  pthread_mutex_lock(&lock);
  FDBFuture *future = transaction->stamp = begin(transaction, KEY);
  pthread_mutex_unlock(&lock);
  return future;
}

FDBFuture *fdb_transaction_commit(FDBTransaction *transaction) {
  pthread_mutex_lock(&lock);
  FDBFuture *future = begin(transaction, NONE);
  if (!future->settled && getenv("STUB_SILENT") == NULL) {
    apply(transaction);
    if (transaction->stamp != NULL) {
      uint8_t stamp[10] = { 0 };
      for (int i = 0; i < 8; i++) stamp[i] = (uint8_t)(transaction->version >> (56 - 8 * i));
      transaction->stamp->value = copy(stamp, 10);
      settle(transaction->stamp, transaction->version < 0 ? 2021 : 0);
    }
    settle(future, 0);
  }
  pthread_mutex_unlock(&lock);
  return future;
}

fdb_error_t fdb_transaction_get_committed_version(FDBTransaction *transaction, int64_t *committed) {
  *committed = transaction->version;
  return 0;
}

void fdb_transaction_set(FDBTransaction *transaction, const uint8_t *key, int length, const uint8_t *value, int size) {
  put(&transaction->writes, (bytes){ (uint8_t *)key, length }, (bytes){ (uint8_t *)value, size });
}

/* What no test needs. */

static FDBFuture *nothing(FDBTransaction *transaction, int kind) {
  pthread_mutex_lock(&lock);
  FDBFuture *future = begin(transaction, kind);
  settle(future, 2108);
  pthread_mutex_unlock(&lock);
  return future;
}

void fdb_transaction_clear(FDBTransaction *t) { (void)t; }
void fdb_transaction_clear_range(FDBTransaction *t) { (void)t; }
void fdb_transaction_atomic_op(FDBTransaction *t) { (void)t; }
void fdb_transaction_set_read_version(FDBTransaction *t, int64_t v) { (void)t, (void)v; }
fdb_error_t fdb_transaction_add_conflict_range(FDBTransaction *t) { (void)t; return 0; }
FDBFuture *fdb_transaction_get_key(FDBTransaction *t) { return nothing(t, KEY); }
FDBFuture *fdb_transaction_get_range(FDBTransaction *t) { return nothing(t, RANGE); }
FDBFuture *fdb_transaction_on_error(FDBTransaction *t) { return nothing(t, NONE); }
FDBFuture *fdb_transaction_get_approximate_size(FDBTransaction *t) { return nothing(t, INT64); }
FDBFuture *fdb_transaction_get_estimated_range_size_bytes(FDBTransaction *t) { return nothing(t, INT64); }
FDBFuture *fdb_transaction_get_range_split_points(FDBTransaction *t) { return nothing(t, RANGE); }
FDBFuture *fdb_transaction_get_addresses_for_key(FDBTransaction *t) { return nothing(t, RANGE); }
