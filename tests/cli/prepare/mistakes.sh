# What cannot be done is said before the work, and with a way out.
mkdir -p v/run
echo x >v/run/a.avi
fails 2 "official splits: give the folder of their files" i3d prepare hmdb51 v data
[ ! -e data ]
fails 2 "not a data set's name" i3d prepare a/b v data
fails 2 "'sequence=8' names a column of a CSV" i3d prepare set v data --test-where sequence=8
fails 1 "nosuch.csv" i3d prepare set v data --split nosuch.csv
fails 1 "nowhere" i3d prepare set nowhere data
[ ! -e data ]
fails 1 "none of the videos in 'v' could be prepared; 'bad/failures.csv' says why" \
    i3d prepare set v bad
[ ! -e bad/rgb/set/annotation ]
mkdir empty
fails 1 "no videos in 'empty'" i3d prepare set empty data
fails 2 "--size" i3d prepare set v data --size -1
mkdir -p busy
(exec 9>busy/.lock && flock 9 && exec sleep 20) &
holder=$!
sleep 0.3
fails 1 "another run is writing to 'busy'" i3d prepare set v busy
kill $holder
: >file
fails 1 "file" i3d prepare set v file
if [ "$(id -u)" != 0 ]; then
    mkdir closed
    chmod a-w closed
    fails 1 "closed" i3d prepare set v closed
fi
