// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What libmicrohttpd's archive wants from GnuTLS, for STATIC=1 only. The metrics endpoint never
 * offers TLS, so nothing here but the two global functions is ever called; the others refuse.
 * Debian has no static p11-kit, which a static GnuTLS needs. gnutls_malloc is a data symbol there
 * (a function pointer) and is answered as a function: it is never reached.
 */
#ifdef VFIOTRACE_STATIC
#include <stddef.h>

int gnutls_global_init(void);
void gnutls_global_deinit(void);

int gnutls_global_init(void)
{
	return 0;
}

void gnutls_global_deinit(void)
{
}

/* GNUTLS_E_UNIMPLEMENTED_FEATURE */
#define REFUSE(name)                                                                               \
	long name(void);                                                                           \
	long name(void)                                                                            \
	{                                                                                          \
		return -1250L;                                                                     \
	}

REFUSE(gnutls_alpn_set_protocols)
REFUSE(gnutls_bye)
REFUSE(gnutls_certificate_allocate_credentials)
REFUSE(gnutls_certificate_free_credentials)
REFUSE(gnutls_certificate_server_set_request)
REFUSE(gnutls_certificate_set_dh_params)
REFUSE(gnutls_certificate_set_retrieve_function2)
REFUSE(gnutls_certificate_set_retrieve_function3)
REFUSE(gnutls_certificate_set_x509_key_mem)
REFUSE(gnutls_certificate_set_x509_key_mem2)
REFUSE(gnutls_certificate_set_x509_trust_mem)
REFUSE(gnutls_cipher_get)
REFUSE(gnutls_credentials_set)
REFUSE(gnutls_deinit)
REFUSE(gnutls_dh_params_deinit)
REFUSE(gnutls_dh_params_import_pkcs3)
REFUSE(gnutls_dh_params_init)
REFUSE(gnutls_handshake)
REFUSE(gnutls_init)
REFUSE(gnutls_malloc)
REFUSE(gnutls_priority_deinit)
REFUSE(gnutls_priority_init)
REFUSE(gnutls_priority_set)
REFUSE(gnutls_protocol_get_version)
REFUSE(gnutls_psk_allocate_server_credentials)
REFUSE(gnutls_psk_free_server_credentials)
REFUSE(gnutls_psk_set_server_credentials_function)
REFUSE(gnutls_record_check_pending)
REFUSE(gnutls_record_get_direction)
REFUSE(gnutls_record_recv)
REFUSE(gnutls_record_send)
REFUSE(gnutls_session_get_ptr)
REFUSE(gnutls_session_set_ptr)
REFUSE(gnutls_strerror)
REFUSE(gnutls_transport_set_int2)
#else
/* An empty translation unit is no C; the shared build takes GnuTLS as libmicrohttpd links it. */
extern const int static_tls_unused;
#endif
