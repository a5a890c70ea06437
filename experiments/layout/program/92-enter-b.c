/* Room on the stack under everything that runs. */
enum { ROOM = 16 };

void enter_b(void (*next)(void)) {
    volatile char room[ROOM];
    room[0] = 1;
    next();
    room[0] = 0;
}
