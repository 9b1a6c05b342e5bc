/* A shared object that is no plug-in. */
int i3d_something_else(void);

int i3d_something_else(void)
{
    return 0;
}
