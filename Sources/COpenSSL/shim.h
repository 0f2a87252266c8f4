// The few operations of OpenSSL's libcrypto that nodes need to trust each other: AES-256-GCM, HMAC-SHA-256 and random
// bytes. Macros and out-parameters stay here.
#ifndef KILN_COPENSSL_SHIM_H
#define KILN_COPENSSL_SHIM_H

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

/// Encrypts `count` bytes under a key of 32 bytes and a nonce of 12; writes a tag of 16. 1 on success.
static inline int kiln_seal(const unsigned char *key, const unsigned char *nonce, const unsigned char *context,
                            int contextCount, const unsigned char *text, int count, unsigned char *sealed,
                            unsigned char *tag) {
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int length = 0;
    int ok = cipher != 0 && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), 0, key, nonce) == 1 &&
             EVP_EncryptUpdate(cipher, 0, &length, context, contextCount) == 1 &&
             EVP_EncryptUpdate(cipher, sealed, &length, text, count) == 1 &&
             EVP_EncryptFinal_ex(cipher, sealed + length, &length) == 1 &&
             EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return ok;
}

/// Decrypts what `kiln_seal` made; 1 where nothing of it, nor of the context, was changed.
static inline int kiln_open(const unsigned char *key, const unsigned char *nonce, const unsigned char *context,
                            int contextCount, const unsigned char *sealed, int count, const unsigned char *tag,
                            unsigned char *text) {
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int length = 0;
    int ok = cipher != 0 && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), 0, key, nonce) == 1 &&
             EVP_DecryptUpdate(cipher, 0, &length, context, contextCount) == 1 &&
             EVP_DecryptUpdate(cipher, text, &length, sealed, count) == 1 &&
             EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, 16, (void *)tag) == 1 &&
             EVP_DecryptFinal_ex(cipher, text + length, &length) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return ok;
}

/// The HMAC-SHA-256 of `count` bytes, 32 bytes long; 1 on success.
static inline int kiln_hmac(const unsigned char *key, int keyCount, const unsigned char *text, unsigned long count,
                            unsigned char *code) {
    unsigned int length = 32;
    return HMAC(EVP_sha256(), key, keyCount, text, count, code, &length) != 0;
}

/// Fills `count` bytes with what nobody can guess; 1 on success.
static inline int kiln_random(unsigned char *bytes, int count) { return RAND_bytes(bytes, count) == 1; }

/// Whether `count` bytes are equal; takes equally long for all contents.
static inline int kiln_same_bytes(const void *left, const void *right, unsigned long count) {
    return CRYPTO_memcmp(left, right, count) == 0;
}

#endif
